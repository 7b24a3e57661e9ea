"""Many chats at once, and how soon the page is there: figures, not tests.

    python scripts/bench/load.py [--chats 50] [--seconds 1.0] [--at-once 2] [--index FOLDER] [--no-browser]

Starts the server as `mmchat serve` does and lets people ask over HTTP, all in one moment, each with a cookie
and a question of their own. The assistant repeats the question, which takes it `--seconds`; with an index, it
quotes the documents of the index. Printed is how many got no answer (lost), how many were shown, or kept,
something that is not theirs (mixed up), how long they waited for their turn and for the whole answer; and
how long Chromium takes until the page is read (DOMContentLoaded) and until a question can be typed: with an
empty cache, and again with what the first visit left.

The visitors run in the same process as the server, so that it does better where they are elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from many_visitors import Told, echo_desk, visit_all
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from scripted_assistant import ScriptedAssistant, ScriptedIndex
from visits import CHROMIUM, FLAGS, serving

import mmchat
from mmchat.config import AnswerConfig, Config, SessionsConfig, WebConfig

LOADS = 5
"""Visits of the page, of which the median is printed."""


def desk_of(index: Path | None, seconds: float, folder: Path) -> mmchat.Desk:
    """Return a desk that echoes, or one that quotes an index."""
    if index is None:
        echoing: mmchat.Desk = echo_desk(folder, seconds=seconds)
        return echoing
    kept = SessionsConfig(database=str(folder / "conversations.sqlite"))
    config = Config(answers=AnswerConfig(generator="none"), sessions=kept)
    return mmchat.Desk(mmchat.Assistant(mmchat.open_index(index, config=config)))


def scripted(folder: Path) -> ScriptedAssistant:
    """Return what the page takes its example questions from, where there is no index."""
    return ScriptedAssistant(ScriptedIndex(folder / "index"))


def questions_of(index: Path | None, chats: int) -> list[str]:
    """Return as many questions as there are chats, each another."""
    asked = ["How much does delivery cost?", "How do I descale the kettle?", "Can I return shoes?"]
    if index is None:
        return [f"Question {number} of mine?" for number in range(chats)]
    return [f"{asked[number % len(asked)]} ({number})" for number in range(chats)]


def is_own(told: Told, desk: mmchat.Desk) -> bool:
    """Whether a visitor was shown, and is kept with, their own question and its answer alone."""
    heads = desk.store.of(told.owner).list()
    turns = [turn for head in heads for turn in desk.store.of(told.owner).get(head.id).turns]
    shown = [text for role, text in told.messages if role == "user"]
    echoed = "You asked: " not in told.messages[-1][1] or told.question in told.messages[-1][1]
    return echoed and shown == [told.question] == [turn.question for turn in turns]


def chats(address: str, desk: mmchat.Desk, questions: Sequence[str]) -> None:
    """Print what becomes of chats that begin in one moment."""
    begun, worked = time.monotonic(), time.process_time()
    results = asyncio.run(visit_all(address, questions))
    seconds, worked = time.monotonic() - begun, time.process_time() - worked
    told = [each for each in results if isinstance(each, Told)]
    print(f"chats at once         {len(questions)}")
    why = ", ".join(sorted({type(each).__name__ for each in results if not isinstance(each, Told)}))
    print(f"lost                  {len(questions) - len(told)} {why}")
    print(f"mixed up              {sum(not is_own(each, desk) for each in told)}")
    for name, values in (
        ("until it is their turn", [each.waited for each in told]),
        ("until the answer ends ", [each.seconds for each in told]),
    ):
        middle, most = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        print(f"{name}: median {middle:.1f} s, 95 % {most:.1f} s")
    print(f"all of it             {seconds:.1f} s, of all processors {worked:.1f} s")
    print(f"were told a number    {sum(bool(each.numbers) for each in told)}")


def loads(address: str) -> None:
    """Print how soon the page is there, with an empty cache and with a filled one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        times = [both(browser, address) for _ in range(LOADS)]
        browser.close()
    for at, name in enumerate(("empty cache", "filled cache")):
        ready, usable, requests, received = (
            statistics.median(values) for values in zip(*(each[at] for each in times), strict=True)
        )
        print(
            f"page, {name:<13} DOMContentLoaded {ready:.2f} s, takes a question {usable:.2f} s "
            f"({requests:.0f} requests, {received / 1e3:.0f} kB)"
        )


def both(browser: Browser, address: str) -> list[tuple[float, float, int, float]]:
    """Return the times of a first visit and of a second one."""
    context = browser.new_context()
    times = [load(context, address) for _ in range(2)]
    context.close()
    return times


def load(context: BrowserContext, address: str) -> tuple[float, float, int, float]:
    """Return seconds until the page is read and until it takes a question, requests, and bytes."""
    page = context.new_page()
    begun = time.monotonic()
    page.goto(address, wait_until="domcontentloaded")
    ready = time.monotonic() - begun
    page.wait_for_selector("#box textarea:not([disabled])")
    usable = time.monotonic() - begun
    sizes = page.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
        ".map((each) => each.transferSize)"
    )
    page.close()
    return ready, usable, len(sizes), sum(sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        desk = stack.enter_context(desk_of(options.index, options.seconds, folder))
        config = WebConfig(port=0, concurrency=options.at_once)
        page = desk.assistant if options.index else scripted(folder)
        address = stack.enter_context(serving(page, config, desk))
        chats(address, desk, questions_of(options.index, options.chats))
        if CHROMIUM and not options.no_browser:
            loads(address)


if __name__ == "__main__":
    main()
