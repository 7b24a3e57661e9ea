"""What a long conversation costs: time and memory of the next question, against how much was said before.

    python scripts/bench/conversations.py [--generator FILE.gguf]

Prints two tables. The first: what is done for a question before it is searched (reading the conversation,
understanding the follow-up, summing the conversation up for a person), in milliseconds and megabytes. The
second, with --generator: how long a language model takes to its first token, and its memory, if it were
shown the conversation word by word, against the summary.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from mmchat.answering.followups import LOOKED_BACK, understand
from mmchat.answering.memory import summarise
from mmchat.answering.prompt import estimate_tokens
from mmchat.sessions import SessionStore, new_owner
from mmchat.types import Answer, Exchange, Source, Status

LENGTHS = (1, 10, 100, 1000)
PASSAGE = "The kettle holds 1.7 litres, boils in four minutes and is descaled with vinegar. " * 10
PROMPTS = (256, 1024, 3584)
"""Tokens of a prompt, about."""
SUMMARY_TOKENS = 400
REPEATS = 5


def fill(store: SessionStore, owner: str, turns: int) -> str:
    own = store.of(owner)
    conversation = own.start()
    for n in range(turns):
        source = Source(1, "kettle.md", 1, (0, 80), PASSAGE[:80], "kettle.jpg", PASSAGE, "Kettle")
        answer = Answer(f"Step {n}: descale it with vinegar [1].", Status.ANSWERED, (source,), 1.0)
        own.end_turn(own.begin_turn(conversation, f"How do I do step {n} of descaling?"), answer)
    return conversation


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds of a call, the least of some, and its peak of memory in megabytes."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        run()
        times.append((time.perf_counter() - begun) * 1e3)
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return min(times), peak


def conversations(folder: Path) -> None:
    store, owner = SessionStore.open(str(folder / "conversations.sqlite")), new_owner()
    print(
        f"{'turns':>6}{'read ms':>9}{'understand ms':>15}{'MB':>7}{'summary ms':>12}{'MB':>7}"
        f"{'its tokens':>12}{'of all':>8}{'kB a turn':>11}"
    )
    for turns in LENGTHS:
        before = on_disk(folder)
        conversation = fill(store, owner, turns)
        own = store.of(owner)

        def read() -> list[Exchange]:
            kept = own.get(conversation, last=LOOKED_BACK).turns  # noqa: B023 - called at once
            return [Exchange(turn.question, turn.answer, "Kettle") for turn in kept]

        whole = [
            Exchange(turn.question, turn.answer, "Kettle") for turn in own.get(conversation).turns
        ]
        reading, _ = timed(read)
        understanding, memory = timed(lambda: understand("How much is it?", read()))
        summing, larger = timed(lambda: summarise(whole, SUMMARY_TOKENS))  # noqa: B023
        everything = "\n".join(f"{each.question} {each.answer}" for each in whole)
        print(
            f"{turns:>6}{reading:>9.1f}{understanding:>15.1f}{memory:>7.2f}{summing:>12.1f}{larger:>7.2f}"
            f"{estimate_tokens(summarise(whole, SUMMARY_TOKENS)):>12}{estimate_tokens(everything):>8}"
            f"{(on_disk(folder) - before) / 1e3 / turns:>11.1f}"
        )
    store.close()


def on_disk(folder: Path) -> int:
    """Return the bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.iterdir())


def prompts(model: Path) -> None:
    from mmchat.answering.generators import LlamaCppGenerator, Message

    print(f"\n{'prompt tokens':>14}{'first token s':>15}{'of processor':>14}{'memory MB':>11}")
    line = "How do I do this step of descaling? Descale it with vinegar and rinse it twice. "
    for tokens in PROMPTS:
        generator = LlamaCppGenerator(model, context_tokens=4096)
        try:
            text = line * max(1, tokens // estimate_tokens(line))
            begun, worked = time.perf_counter(), time.process_time()
            stream = generator.stream([Message("user", text)], max_tokens=1)
            next(stream, None)
            seconds, worked = time.perf_counter() - begun, time.process_time() - worked
            stream.close()
            print(f"{tokens:>14}{seconds:>15.2f}{worked:>14.2f}{resident():>11.0f}")
        finally:
            generator.close()


def resident() -> float:
    """Return the memory of this process in megabytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generator", type=Path)
    generator = parser.parse_args().generator
    with tempfile.TemporaryDirectory() as scratch:
        conversations(Path(scratch))
    if generator is not None:
        prompts(generator)


if __name__ == "__main__":
    main()
