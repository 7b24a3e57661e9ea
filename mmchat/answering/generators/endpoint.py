"""Generation by a server that speaks OpenAI's chat completions: Ollama, vLLM, llama-server, a cloud.

The exchange runs in an event loop of its own thread, because only there can a connection be ended at any
moment: while it is made, while the server reads the prompt, between two tokens. A reader who goes away
costs the server nothing more.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mmchat.answering.generators.base import (
    End,
    Message,
    Pieces,
    TextStream,
    cut_at,
    drain,
    expiry,
    refuse_closed,
)
from mmchat.answering.generators.events import read, receive
from mmchat.answering.generators.refusals import (
    Patience,
    TryAgain,
    refusal,
    shorten,
    translated,
)
from mmchat.config import nearest
from mmchat.errors import ConfigError, GenerationError
from mmchat.pictures import to_jpeg

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

API_KEY_VARIABLE = "MMCHAT_API_KEY"
PICTURE_PX = 768
"""Longer side of a picture that is sent; servers count its tokens by its area."""
_ATTEMPTS = 3
_NO_LIST = frozenset({404, 405, 501})
_UNKNOWN = (b"not found", b"not exist", b"invalid model")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value"})

_log = logging.getLogger(__name__)


class EndpointGenerator:
    """A model behind an address. Several questions at once are the server's to order."""

    def __init__(
        self,
        address: str,
        *,
        model: str = "",
        api_key: str = "",
        context_tokens: int = 4096,
        temperature: float = 0.0,
        patience: Patience | None = None,
    ) -> None:
        """Take an address; nothing is sent yet.

        Args:
            address: what `/chat/completions` is appended to; for most servers it ends in `/v1`.
            model: what the server calls the model; empty takes the only one that it has.
            api_key: sent as a bearer token; appears in no message and no log.
            context_tokens: tokens of prompt and answer together that the server was started with.
            temperature: 0 writes the same answer to the same prompt, as far as the server does.
            patience: how long the server may take.

        Raises:
            ConfigError: the address or the key cannot be used.
        """
        self._address = _checked_address(address)
        self.name = f"{model or 'the model'} at {self._address}"
        self.context_tokens = context_tokens
        self._model = model
        self._api_key = _checked_key(api_key)
        self._temperature: float | None = temperature
        self._limit_name = "max_tokens"
        self._patience = patience or Patience()
        self._closed = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._client: httpx.AsyncClient | None = None
        threading.Thread(target=self._serve, name="mmchat-endpoint", daemon=True).start()

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        time_limit: float | None = None,
        cancel: threading.Event | None = None,
    ) -> TextStream:
        """Yield the pieces of the answer; see `Generator.stream`.

        What failed before the first piece, and may pass, is tried three times.
        """
        expired = expiry(time_limit, cancel)
        refuse_closed(self._closed)
        if expired():
            return
        turns = [_turn(each) for each in messages]
        pieces: Pieces = queue.SimpleQueue()

        def over() -> bool:
            return expired() or self._closed.is_set()

        async def work() -> None:
            try:
                await self._ask(turns, max_tokens, pieces.put)
                pieces.put(End())
            except Exception as error:
                pieces.put(End(error))

        task = self._run(work())
        try:
            # The stop strings are not sent: clouds take four at most, and some models none.
            yield from cut_at(drain(pieces, over), stop)
        finally:
            task.cancel()

    def close(self) -> None:
        """End what is running and close the connections."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._run(self._end()).add_done_callback(
            lambda _: self._loop.call_soon_threadsafe(self._loop.stop)
        )

    def _serve(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _ask(
        self, turns: Sequence[object], max_tokens: int, emit: Callable[[str], None]
    ) -> None:
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            retry=retry_if_exception_type(TryAgain),
            wait=self._pause,
            before_sleep=_tell,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                await self._attempt(turns, max_tokens, emit)

    async def _attempt(
        self, turns: Sequence[object], max_tokens: int, emit: Callable[[str], None]
    ) -> None:
        import httpx

        began = False

        def take(piece: str) -> None:
            nonlocal began
            began = True
            emit(piece)

        try:
            model = self._model or await self._only_model()
            request = {"model": model, "messages": turns, "stream": True}
            request |= {self._limit_name: max_tokens, "temperature": self._temperature}
            request = {name: value for name, value in request.items() if value is not None}
            async with self._opened().stream("POST", "chat/completions", json=request) as response:
                if response.status_code != httpx.codes.OK:
                    raise await self._refusal(response, model)
                await receive(response, max_tokens, take)
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise translated(error, self.name, self._patience, began=began) from error
        except GenerationError as error:
            if self._api_key:  # some servers repeat the key that they refuse
                error.args = (str(error).replace(self._api_key, "…"), *error.args[1:])
            raise

    def _opened(self) -> httpx.AsyncClient:
        """Return the client, which belongs to the loop; connections are kept between questions."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._address,
                # A proxy of the environment cannot know what is meant by this machine.
                trust_env=urlsplit(self._address).hostname not in _LOOPBACK,
                headers={"Authorization": f"Bearer {self._api_key}"} if self._api_key else None,
                timeout=httpx.Timeout(
                    self._patience.silence, connect=self._patience.connect, pool=None
                ),
            )
        return self._client

    async def _refusal(self, response: httpx.Response, model: str) -> GenerationError:
        """Return the error that a status other than 200 stands for."""
        body = await read(response)
        if response.status_code == 400 and self._learn(body):
            return TryAgain(f"{self.name} wants the request in other words.", 0.0)
        unknown = response.status_code == 400 and any(each in body.lower() for each in _UNKNOWN)
        names = await self._names() if unknown or response.status_code == 404 else []
        if names and model not in names:
            return GenerationError(
                f"{self._address} has no model '{model}': {shorten(nearest(model, names), 300)} "
                "Set answers.model to one that it has."
            )
        return refusal(response, body, self.name, self._patience)

    def _learn(self, body: bytes) -> bool:
        """Leave out what the server says it does not take; True where that changed the request.

        Newer models of OpenAI know only `max_completion_tokens`, and only their own temperature.
        """
        try:
            said = json.loads(body)["error"]
            parameter = said["param"] if said["code"] in _UNSUPPORTED else None
        except (ValueError, TypeError, KeyError):
            return False
        if parameter == "max_tokens" and self._limit_name == "max_tokens":
            self._limit_name = "max_completion_tokens"
            return True
        if parameter == "temperature" and self._temperature is not None:
            self._temperature = None
            return True
        return False

    async def _only_model(self) -> str:
        names = await self._names()
        if len(names) == 1:
            self._model = names[0]
            return self._model
        found = f"the models {', '.join(names[:10])}" if names else "no list of models"
        raise GenerationError(
            f"Got no answers.model, and {self._address} has {shorten(found, 300)}. "
            "Expected the name of one. Set answers.model."
        )

    async def _names(self) -> list[str]:
        """Return what models the server says it has; nothing where it keeps no list."""
        async with self._opened().stream("GET", "models") as response:
            body = await read(response)
            if response.status_code in _NO_LIST:
                return []
            if not response.is_success:
                raise refusal(response, body, self.name, self._patience)
        try:
            return [str(each["id"]) for each in json.loads(body)["data"]]
        except (ValueError, TypeError, KeyError):
            return []

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wished = error.pause if isinstance(error, TryAgain) else None
        doubled = self._patience.pause * 2 ** (state.attempt_number - 1)
        return doubled if wished is None else wished


def _tell(state: RetryCallState) -> None:
    _log.info("Trying again: %s", state.outcome.exception() if state.outcome else "")


def _checked_address(address: str) -> str:
    try:
        parts = urlsplit(address)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.username or parts.password or parts.query or parts.fragment:
        # Not shown: what makes it unusable may be a password or a key.
        raise ConfigError(
            "answers.generator is an address that cannot be used: expected http://host:port/v1 or "
            "https://host/v1, without user, password, ? and #. Set answers.model for the model, and "
            f"the environment variable {API_KEY_VARIABLE} for the key."
        )
    return address.rstrip("/")


def _checked_key(key: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            f"{API_KEY_VARIABLE} holds characters that no key has (spaces, line breaks or letters "
            "beyond ASCII). Copy the key again."
        )
    return key


def _turn(message: Message) -> dict[str, object]:
    if not message.pictures:
        return {"role": message.role, "content": message.content}
    urls = (
        "data:image/jpeg;base64," + base64.b64encode(to_jpeg(each, PICTURE_PX)).decode()
        for each in message.pictures
    )
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": message.role, "content": [*shown, {"type": "text", "text": message.content}]}
