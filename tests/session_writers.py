"""A process of its own that opens a database of conversations and writes into one of them."""

from __future__ import annotations

import sys

from mmchat.sessions import SessionStore
from mmchat.types import Handoff, HandoffReason


def main(database: str, owner: str, conversation: str, turns: int) -> None:
    """Write turns and try to pass the conversation on; print whether this process did."""
    store = SessionStore.open(database)
    own = store.of(owner)
    for number in range(turns):
        turn = own.begin_turn(conversation, f"question {number}")
    passed = own.hand_over(
        conversation, Handoff(HandoffReason.REQUEST), turn=turn, summary="", webhook=True
    )
    print("passed on" if passed else "was passed on")
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
