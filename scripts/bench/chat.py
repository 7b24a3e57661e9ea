"""Measure answering against plain llama.cpp on the same prompts: figures, not tests.

    python scripts/bench/chat.py [--generator qwen2.5-coder-0.5b] [--threads 0] [--rounds 2] [--index FOLDER]
        [--json]

First mmchat's generator and llama.cpp itself (xllamacpp's Server) write answers to the same prompts by
turns, each with its own copy of the model and the same number of threads, both after one prompt that warms
them. Then an assistant answers the same questions from the sample shop, or from the index that is given,
and the checks of its sentences are timed.

Where others use the machine too, the ratios of processor time are the steadier ones.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import xllamacpp

import mmchat
from mmchat.answering.generators import Generator, LlamaCppGenerator, Message
from mmchat.answering.prompt import Passage, build
from mmchat.models import ModelStore, catalogue

QUESTIONS = (
    "What does express delivery cost?",
    "How long is the warranty on the juicer?",
    "My air fryer shows E2. What should I do?",
    "What does a new group gasket cost?",
    "Can I return a gift card?",
    "How do I descale the kettle?",
    "When does an order leave the warehouse?",
    "How can I pay?",
    "Do you take back old appliances?",
    "Until when can I cancel an order?",
)
MAX_TOKENS = 48
CONTEXT_TOKENS = 4096


@dataclass(frozen=True)
class Timing:
    """One answer: seconds by the clock and of all processors."""

    first: float
    first_processor: float
    rest: float
    rest_processor: float
    tokens: int


def plain_server(path: Path, threads: int) -> Any:
    """Return llama.cpp as its page shows it, with the same threads and context."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_gpu_layers = 0
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.fit_params = False  # with it, it has hung on a machine without a GPU
    parameters.verbosity = 0
    return xllamacpp.Server(parameters)


def timed(run: Callable[[Callable[[str], None]], None]) -> Timing:
    """Time a run that hands over pieces of text."""
    seen: list[tuple[float, float]] = []

    def take(piece: str) -> None:
        if piece:
            seen.append((time.perf_counter(), time.process_time()))

    started, worked = time.perf_counter(), time.process_time()
    run(take)
    (first, first_worked), (last, last_worked) = seen[0], seen[-1]
    return Timing(
        first - started, first_worked - worked, last - first, last_worked - first_worked, len(seen)
    )


def by_plain(server: Any, messages: Sequence[Message]) -> Timing:
    """Let llama.cpp itself write an answer."""
    request = {
        "messages": [{"role": each.role, "content": each.content} for each in messages],
        "max_tokens": MAX_TOKENS,
        "temperature": 0.0,
        "stream": True,
    }

    def run(take: Callable[[str], None]) -> None:
        def receive(event: dict[str, Any]) -> bool:
            choices = event.get("choices") or [{}]
            take(choices[0].get("delta", {}).get("content") or "")
            return False

        server.handle_chat_completions(request, receive)

    return timed(run)


def by_ours(generator: Generator, messages: Sequence[Message]) -> Timing:
    """Let mmchat's generator write an answer."""

    def run(take: Callable[[str], None]) -> None:
        for piece in generator.stream(messages, max_tokens=MAX_TOKENS):
            take(piece)

    return timed(run)


def against_plain(path: Path, threads: int, prompts: Sequence[Sequence[Message]]) -> dict[str, Any]:
    """Return the figures of both on the same prompts, one after the other, in changing order."""
    ours = LlamaCppGenerator(path, threads=threads, context_tokens=CONTEXT_TOKENS)
    plain = plain_server(path, threads)
    warm = build("warm", [])
    by_ours(ours, warm)
    by_plain(plain, warm)
    pairs = []
    for number, prompt in enumerate(prompts):
        if number % 2:
            mine = by_ours(ours, prompt)
            pairs.append((mine, by_plain(plain, prompt)))
        else:
            theirs = by_plain(plain, prompt)
            pairs.append((by_ours(ours, prompt), theirs))
    ours.close()

    def median(value: Callable[[Timing], float], side: int) -> float:
        return statistics.median(value(pair[side]) for pair in pairs)

    def ratio(value: Callable[[Timing], float]) -> float:
        return statistics.median(value(mine) / value(theirs) for mine, theirs in pairs)

    return {
        "prompts": len(pairs),
        "first token, s": median(lambda each: each.first, 0),
        "first token of plain llama.cpp, s": median(lambda each: each.first, 1),
        "first token, ratio": ratio(lambda each: each.first),
        "first token, ratio of processor time": ratio(lambda each: each.first_processor),
        "tokens a second": median(lambda each: (each.tokens - 1) / each.rest, 0),
        "tokens a second of plain llama.cpp": median(lambda each: (each.tokens - 1) / each.rest, 1),
        "tokens a second, ratio": ratio(lambda each: (each.tokens - 1) / each.rest),
        "tokens a processor second, ratio": ratio(
            lambda each: (each.tokens - 1) / each.rest_processor
        ),
    }


@contextmanager
def noted(owner: Any, name: str) -> Iterator[list[float]]:
    """Note the milliseconds of every call of a function of a module or class."""
    milliseconds: list[float] = []
    function = getattr(owner, name)

    def timed_function(*given: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*given, **options)
        finally:
            milliseconds.append(1000 * (time.perf_counter() - started))

    setattr(owner, name, timed_function)
    try:
        yield milliseconds
    finally:
        setattr(owner, name, function)


def whole_answers(assistant: mmchat.Assistant, questions: Sequence[str]) -> dict[str, Any]:
    """Return the figures of whole answers: searching, evidence, writing and checking."""
    answering: Any = importlib.import_module("mmchat.answering.assistant")
    finding: Any = importlib.import_module("mmchat.answering.finding")
    answers, checks, evidence, processor = [], [], [], []
    assistant.warm_up()
    for question in questions:
        with (
            noted(answering, "check") as checked,
            noted(finding.EvidenceFinder, "find") as found,
        ):
            worked = time.process_time()
            answers.append(assistant.ask(question))
            processor.append(time.process_time() - worked)
        checks.append(sum(checked))
        evidence.append(sum(found))
    whole = sorted(each.seconds for each in answers)
    return {
        "questions": len(answers),
        "answered": sum(each.status is not mmchat.Status.ABSTAINED for each in answers),
        "first words, s, median": statistics.median(
            each.first_token_seconds or each.seconds for each in answers
        ),
        "whole answer, s, median": statistics.median(whole),
        "whole answer, s, 95 %": whole[min(len(whole) - 1, round(0.95 * len(whole)))],
        "whole answer, s of all processors, median": statistics.median(processor),
        "finding evidence, ms, median": statistics.median(evidence),
        "checks of an answer, ms, median": statistics.median(checks),
        "checks of an answer, ms, most": max(checks),
    }


@contextmanager
def opened(path: Path | None) -> Iterator[mmchat.Index]:
    """Open an index; one of the sample shop where none is named."""
    if path is not None:
        yield mmchat.open_index(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        with resources.as_file(resources.files("mmchat") / "sample_shop") as shop:
            mmchat.build_index(shop, Path(folder) / "shop")
        yield mmchat.open_index(Path(folder) / "shop")


def main() -> None:
    """Run the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--generator", default=mmchat.Config().answers.generator)
    parser.add_argument("--threads", type=int, default=0, help="0 is one per core")
    parser.add_argument("--rounds", type=int, default=2, help="times that each question is asked")
    parser.add_argument("--index", type=Path, help="an index in place of one of the sample shop")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    name = arguments.generator
    path = ModelStore().pull(name) if name in catalogue() else Path(name)
    config = mmchat.load_config(
        overrides={"answers.generator": name, "answers.threads": arguments.threads}
    )
    with opened(arguments.index) as index:
        questions = QUESTIONS * arguments.rounds
        prompts = [build(each, [_passage(index, each)]) for each in questions]
        figures = {"generator": path.stem}
        figures |= against_plain(path, arguments.threads or _cores(), prompts)
        with mmchat.Assistant(index, config=config) as assistant:
            figures |= whole_answers(assistant, questions)
    print(json.dumps(figures) if arguments.json else as_table(figures))


def as_table(figures: dict[str, Any]) -> str:
    """Return the figures as the rows of a Markdown table."""
    rows = ["| | |", "| --- | --- |"]
    for name, value in figures.items():
        rows.append(
            f"| {name} | {value:.3g} |" if isinstance(value, float) else f"| {name} | {value} |"
        )
    return "\n".join(rows)


def _passage(index: mmchat.Index, question: str) -> Passage:
    hit = next(each for each in index.search(question, k=5) if each.kind == "chunk")
    return Passage(hit.title, hit.text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
