"""How often an answer is right, and how often something is answered that the documents do not say.

    python scripts/bench/answers.py [--sets epqa …] [--generators qwen2.5-coder-0.5b none …]
                                    [--answerable 50] [--unanswerable 50] [--show FILE] [--json]

Each set's folder is indexed as `mmchat index` does, and its questions are asked and graded as
`mmchat eval --answers` does. `--show` writes every question with its answer and grade for reading, as it
comes. `unchecked:NAME` is a generator without the decision before and the checks after it: what they buy can
be seen.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from unittest import mock

from answer_sets import DATA, AnswerSet, read, unanswerable

import mmchat
from mmchat.answering import assistant as pipeline
from mmchat.answering.evidence import Thresholds
from mmchat.answering.grounding import Verdict
from mmchat.dataset import Asked
from mmchat.evaluation import Answered, answer_figures, ask_all

UNCHECKED = "unchecked:"


@contextmanager
def without_checks() -> Iterator[None]:
    """Let every question through to the generator, every sentence to the reader, and quote nothing.

    It holds for assistants that are made meanwhile.
    """

    def accept(
        sentence: str, question: str, passages: object, evidence: object, *_: object
    ) -> Verdict:
        return Verdict(support=tuple(evidence[:1]))  # type: ignore[index]

    everything = Thresholds(answer=0.0, beside_photo=0.0, quote=2.0, against_refusal=2.0)
    with (
        mock.patch.object(pipeline, "Thresholds", lambda: everything),
        mock.patch.object(pipeline, "check", accept),
        mock.patch.object(pipeline, "answerable", lambda *_: True),
    ):
        yield


def run(
    each: AnswerSet, questions: Sequence[Asked], generator: str, work: Path
) -> Iterator[Answered]:
    """Ask the questions of a set with a generator."""
    name = generator.removeprefix(UNCHECKED)
    config = mmchat.Config()
    index = work / "indexes" / each.name
    if not (index / "CURRENT").exists():
        mmchat.build_index(each.folder, index, config=config)
    answers = replace(config.answers, generator=name)
    if name != generator:
        answers = replace(answers, quoted_languages="")
    opened = mmchat.open_index(index, config=replace(config, answers=answers))
    with (
        nullcontext() if name == generator else without_checks(),
        mmchat.Assistant(opened) as assistant,
    ):
        assistant.warm_up()
        yield from ask_all(assistant, questions)


def chosen(
    sets: Sequence[AnswerSet], arguments: argparse.Namespace
) -> Iterator[tuple[AnswerSet, list[Asked]]]:
    """Yield each set that is asked for with a sample of its questions, and of such as it cannot answer."""
    refused = unanswerable(sets, arguments.data, arguments.unanswerable, arguments.seed)
    for each in sets:
        if each.name in arguments.sets:
            chooser = random.Random(f"{arguments.seed} {each.name}")
            most = min(arguments.answerable, len(each.answerable))
            yield each, [*chooser.sample(list(each.answerable), most), *refused[each.name]]


def shown(each: AnswerSet, generator: str, answered: Answered) -> str:
    """Return a line of JSON for reading."""
    values = {
        "set": each.name,
        "generator": generator,
        "question": answered.asked.text,
        "written": answered.asked.answers,
        "answer": answered.answer.answer,
        "status": answered.answer.status,
        "seconds": round(answered.answer.seconds, 2),
        **asdict(answered.grade),
    }
    return json.dumps(values, ensure_ascii=False)


def main() -> None:
    """Ask, grade and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, help="keep folders and indexes here")
    parser.add_argument("--sets", nargs="+", default=["epqa", "manual-tv", "outdoor", "korquad"])
    parser.add_argument("--generators", nargs="+", default=[mmchat.Config().answers.generator])
    parser.add_argument("--answerable", type=int, default=50, help="questions of a set")
    parser.add_argument("--unanswerable", type=int, default=50, help="questions put to a set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=Path, help="write every answer here, as JSON Lines")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        arguments.show.open("w", encoding="utf-8") if arguments.show else nullcontext() as lines,
    ):
        work = arguments.work or Path(scratch)
        for each, questions in chosen(read(arguments.data, work), arguments):
            for generator in arguments.generators:
                answered = []
                for one in run(each, questions, generator, work):
                    answered.append(one)
                    if lines:
                        print(shown(each, generator, one), file=lines, flush=True)
                figures[f"{each.name} {generator}"] = asdict(answer_figures(answered))
                if not arguments.json:
                    print(
                        each.name,
                        generator,
                        json.dumps(asdict(answer_figures(answered))),
                        flush=True,
                    )
    if arguments.json:
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
