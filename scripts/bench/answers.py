"""How often an answer is right, and how often something is answered that the documents do not say.

    python scripts/bench/answers.py [--sets epqa …] [--generators qwen2.5-coder-0.5b none …]
                                    [--answerable 50] [--unanswerable 50] [--show FILE] [--json]

Each set's folder is indexed as `mmchat index` does, and its questions are asked by `mmchat.Assistant`. An
answer is right where `mmchat.answering.judging` finds a written answer in it. Printed with 95 % intervals
(Wilson); `--show` writes every question with its answer and verdict for reading. `unchecked:NAME` is a
generator without the decision before and the checks after it: what they buy can be seen.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unittest import mock

from answer_sets import DATA, AnswerSet, Asked, read, unanswerable

import mmchat
from mmchat.answering import assistant as pipeline
from mmchat.answering.grounding import Verdict
from mmchat.answering.judging import facts_in, is_right
from mmchat.types import Answer, Status

UNCHECKED = "unchecked:"
_MARK = re.compile(r"\s*((?:\[\d+\])+)([.!?。…]*)")
_SUPPORTED = 0.6


@dataclass(frozen=True)
class Row:
    """What came of a question."""

    set: str
    generator: str
    question: str
    written: tuple[str, ...]
    answer: str
    status: str
    right: bool
    cited: int
    """Citations that hold: the cited passage has the facts of the sentence."""
    citations: int
    sentences: int
    unsupported: int
    """Sentences none of whose citations hold."""
    seconds: float


def ask(assistant: mmchat.Assistant, each: AnswerSet, asked: Asked, generator: str) -> Row:
    """Ask a question, and judge the answer."""
    answer = assistant.ask(asked.text, asked.photo)
    said = " ".join(text for text, _ in cited_sentences(answer))
    answered = answer.status != Status.ABSTAINED
    holds = [
        [holds_in(text, answer, number) for number in numbers]
        for text, numbers in (cited_sentences(answer) if answered else ())
    ]
    return Row(
        set=each.name,
        generator=generator,
        question=asked.text,
        written=asked.written,
        answer=answer.answer,
        status=answer.status.value,
        right=answered and is_right(said or answer.answer, asked.written, asked.text),
        cited=sum(map(sum, holds)),
        citations=sum(map(len, holds)),
        sentences=len(holds),
        unsupported=sum(not any(own) for own in holds),
        seconds=answer.seconds,
    )


def cited_sentences(answer: Answer) -> list[tuple[str, list[int]]]:
    """Return the sentences of an answer without their marks, each with the numbers of its sources."""
    found, start = [], 0
    for match in _MARK.finditer(answer.answer):
        text = answer.answer[start : match.start()].strip() + match[2]
        found.append((text, [int(n) for n in re.findall(r"\d+", match[1])]))
        start = match.end()
    rest = answer.answer[start:].strip()
    return [*found, (rest, [])] if rest else found


def holds_in(sentence: str, answer: Answer, number: int) -> bool:
    """Tell whether the cited passage has the facts of a sentence."""
    source = next((s for s in answer.sources if s.n == number), None)
    if source is None:
        return False
    return facts_in(sentence, f"{source.title} {source.passage} {source.text}") >= _SUPPORTED


@contextmanager
def without_checks() -> Iterator[None]:
    """Let every question through to the generator and every sentence to the reader."""

    def accept(
        sentence: str, question: str, passages: object, evidence: object, *_: object
    ) -> Verdict:
        return Verdict(support=tuple(evidence[:1]))  # type: ignore[index]

    with (
        mock.patch.object(pipeline, "check", accept),
        mock.patch.object(pipeline, "answerable", lambda *_: True),
    ):
        yield


def run(each: AnswerSet, refused: Sequence[Asked], generator: str, work: Path) -> list[Row]:
    """Ask all questions of a set with a generator."""
    name = generator.removeprefix(UNCHECKED)
    config = mmchat.Config()
    index = work / "indexes" / each.name
    if not (index / "CURRENT").exists():
        mmchat.build_index(each.folder, index, config=config)
    answers = replace(config.answers, generator=name)
    if name != generator:
        answers = replace(answers, quoted_languages="")
    opened = mmchat.open_index(index, config=replace(config, answers=answers))
    with mmchat.Assistant(opened) as assistant:
        assistant.warm_up()
        questions = [*each.answerable, *refused]
        if name == generator:
            return [ask(assistant, each, asked, generator) for asked in questions]
        with without_checks():
            return [ask(assistant, each, asked, generator) for asked in questions]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, hits / of
    middle = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)


def summary(rows: Sequence[Row]) -> dict[str, object]:
    """Return the figures of some rows."""
    asked = [row for row in rows if row.written]
    refused = [row for row in rows if not row.written]
    right = sum(row.right for row in asked)
    false = sum(row.status != Status.ABSTAINED.value for row in refused)
    citations, sentences = sum(r.citations for r in rows), sum(r.sentences for r in rows)
    return {
        "answerable": len(asked),
        "right": round(right / max(1, len(asked)), 3),
        "right, interval": [round(v, 3) for v in wilson(right, len(asked))],
        "abstained": round(
            sum(r.status == Status.ABSTAINED.value for r in asked) / max(1, len(asked)), 3
        ),
        "unanswerable": len(refused),
        "answered all the same": round(false / max(1, len(refused)), 3),
        "answered, interval": [round(v, 3) for v in wilson(false, len(refused))],
        "citations that hold": round(sum(r.cited for r in rows) / max(1, citations), 3),
        "unsupported sentences": round(sum(r.unsupported for r in rows) / max(1, sentences), 3),
        "seconds, median": round(statistics.median(r.seconds for r in rows), 2),
    }


def main() -> None:
    """Ask, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, help="keep folders and indexes here")
    parser.add_argument("--sets", nargs="+", default=["epqa", "manual-tv", "outdoor", "korquad"])
    parser.add_argument("--generators", nargs="+", default=[mmchat.Config().answers.generator])
    parser.add_argument("--answerable", type=int, default=50, help="questions of a set")
    parser.add_argument("--unanswerable", type=int, default=50, help="questions put to a set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=Path, help="write every row here, as JSON Lines")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        sets = read(arguments.data, work)
        refused = unanswerable(sets, arguments.data, arguments.unanswerable, arguments.seed)
        rows: list[Row] = []
        for each in sets:
            if each.name not in arguments.sets:
                continue
            chooser = random.Random(f"{arguments.seed} {each.name}")
            most = min(arguments.answerable, len(each.answerable))
            part = replace(each, answerable=chooser.sample(list(each.answerable), most))
            for generator in arguments.generators:
                found = run(part, refused[each.name], generator, work)
                rows += found
                if not arguments.json:
                    print(each.name, generator, json.dumps(summary(found)), flush=True)
    if arguments.show:
        lines = [json.dumps(asdict(row), ensure_ascii=False) for row in rows]
        arguments.show.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if arguments.json:
        keys = dict.fromkeys((row.set, row.generator) for row in rows)
        print(
            json.dumps(
                {
                    f"{name} {generator}": summary(
                        [r for r in rows if (r.set, r.generator) == (name, generator)]
                    )
                    for name, generator in keys
                },
                indent=2,
            )
        )


if __name__ == "__main__":
    main()
