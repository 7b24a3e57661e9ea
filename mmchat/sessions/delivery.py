"""The webhook: tells the owner's system of each handoff, from a thread of its own.

A request is signed as Standard Webhooks says (https://www.standardwebhooks.com), so that receivers can
check it with that project's libraries: the headers `webhook-id`, `webhook-timestamp` (seconds since 1970)
and `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import threading
import time
from typing import TYPE_CHECKING

from mmchat.errors import SessionError
from mmchat.sessions.exporting import handoff_values
from mmchat.sessions.queue import HandoffQueue, Parcel

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

_log = logging.getLogger(__name__)

_ATTEMPTS = 6
"""Attempts in a row, from a second to half a minute apart; then the handoff rests."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
_REST = 900.0
"""Seconds until a handoff that could not be delivered is tried again."""
_LOOK_EVERY = 30.0
"""Seconds after which a courier looks for what another process has left behind."""
_TRY_LATER = frozenset({408, 409, 425, 429})
"""Answers between 400 and 499 that may change; any other means that it is never taken."""


class _Refused(Exception):
    """The receiver will never take it."""


class _NotNow(Exception):
    """It may be taken later."""


class Courier:
    """Delivers handoffs to a webhook until it is closed. What is left then goes out after a restart."""

    def __init__(
        self,
        queue: HandoffQueue,
        url: str,
        *,
        secret: str = "",
        time_limit: float = 10.0,
    ) -> None:
        """Take what is to be delivered, and where to; `start` begins.

        Args:
            queue: the handoffs that wait.
            url: the owner's own address. It is not followed to another one.
            secret: signs the requests; without one they are not signed.
            time_limit: seconds that a request may take.
        """
        self._queue = queue
        self._url = url
        self._key = signing_key(secret)
        self._time_limit = time_limit
        # While a request and the wait after it last, no other process takes the same handoff.
        self._lease = 2 * time_limit + 2 * _LONGEST_WAIT
        self._closing = threading.Event()
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mmchat-courier", daemon=True)

    def start(self) -> Courier:
        """Begin, with what an earlier process has left."""
        self._thread.start()
        return self

    def notify(self) -> None:
        """Say that there is a new handoff. Returns at once."""
        self._news.set()

    def close(self) -> None:
        """End after the request that is under way."""
        self._closing.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        import httpx

        # A redirect is a failure: the owner has named one address, and no other gets the transcript.
        with httpx.Client(timeout=self._time_limit, follow_redirects=False) as client:
            while not self._closing.is_set():
                self._news.clear()
                try:
                    while not self._closing.is_set() and (parcel := self._queue.claim(self._lease)):
                        self._deliver(client, parcel)
                except SessionError as error:
                    _log.warning("Handoffs are not delivered for now: %s", error)
                except Exception:
                    # Whatever it was, the handoffs after it are still to be delivered.
                    _log.exception("A handoff could not be delivered; others are.")
                self._news.wait(_LOOK_EVERY)

    def _deliver(self, client: httpx.Client, parcel: Parcel) -> None:
        from tenacity import (
            RetryError,
            Retrying,
            retry_if_exception_type,
            sleep_using_event,
            stop_after_attempt,
            stop_when_event_set,
            wait_exponential,
            wait_random,
        )

        conversation = parcel.record.conversation

        def keep_failure(state: RetryCallState) -> None:
            reason = str(state.outcome.exception()) if state.outcome else ""
            _log.warning("The handoff of %s was not delivered: %s", conversation, reason)
            self._queue.failed(conversation, reason)
            self._queue.rest(conversation, self._lease)

        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS) | stop_when_event_set(self._closing),
            wait=wait_exponential(_FIRST_WAIT, _LONGEST_WAIT) + wait_random(0, _FIRST_WAIT),
            sleep=sleep_using_event(self._closing),
            retry=retry_if_exception_type(_NotNow),
            after=keep_failure,
        )
        try:
            attempts(self._send, client, parcel)
            self._queue.delivered(conversation)
        except _Refused as error:
            _log.error("The handoff of %s was refused: %s", conversation, error)
            self._queue.failed(conversation, str(error), refused=True)
        except RetryError:
            self._queue.rest(conversation, 0.0 if self._closing.is_set() else _REST)

    def _send(self, client: httpx.Client, parcel: Parcel) -> None:
        import httpx

        body = payload(parcel)
        headers = {"content-type": "application/json", "user-agent": "mmchat"}
        # One that was passed on again is another message to a receiver that knows the first.
        message = f"handoff_{parcel.record.conversation}_{parcel.record.turn}"
        headers |= signed_headers(self._key, message, int(time.time()), body)
        try:
            # The answer's head says all; its body is not read, however long it is.
            with client.stream("POST", self._url, content=body, headers=headers) as response:
                status = response.status_code
        except httpx.HTTPError as error:
            raise _NotNow(f"{type(error).__name__}: {error}") from error
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in _TRY_LATER:
            raise _Refused(f"the webhook answered {status}, expected 200 to 299")
        raise _NotNow(f"the webhook answered {status}, expected 200 to 299")


def payload(parcel: Parcel) -> bytes:
    """Return what the webhook is sent: JSON in UTF-8, pictures as base64 in it."""
    pictures = [
        {"id": key, "type": "image/jpeg", "data": base64.b64encode(jpeg).decode()}
        for key, jpeg in parcel.pictures.items()
    ]
    told = ("conversation", "turn", "reason", "detail", "created", "summary")
    record = handoff_values(parcel.record)
    values = {
        "type": "handoff",
        **{name: record[name] for name in told},
        "transcript": parcel.transcript,
        "pictures": pictures,
    }
    return json.dumps(values, ensure_ascii=False).encode()


def signing_key(secret: str) -> bytes:
    """Return the key of a secret: base64 after `whsec_`, as the standard has it, or the text itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass  # a secret of the owner's own making that begins the same
    return secret.encode()


def signed_headers(key: bytes, message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver knows who sent `body`, and when."""
    headers = {"webhook-id": message, "webhook-timestamp": str(timestamp)}
    if key:
        signed = f"{message}.{timestamp}.".encode() + body
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers
