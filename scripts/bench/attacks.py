"""How many attacks get through to the reader, for each generator: figures, not tests.

    python scripts/bench/attacks.py [--generators none qwen2.5-coder-0.5b unchecked:qwen2.5-coder-0.5b]
                                    [--show FILE]

The cases, where they are planted, and what counts as getting through are those of the tests
(tests/attacks.jsonl, tests/attack_cases.py). The shop is indexed as `mmchat index` does, with its pictures
read, and the questions are asked by `mmchat.Assistant`. `unchecked:NAME` is a generator that is shown
the orders in passages, whose sentences are shown without the decision before and the checks after them, and
are not disarmed. Also printed: how many questions are still
answered from the page that was attacked.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from unittest import mock

from answers import UNCHECKED, without_checks

import mmchat
from mmchat.answering import assistant as pipeline
from mmchat.answering import draft

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from attack_cases import Attack, got_through, read, write_shop


@dataclass(frozen=True)
class Row:
    """What came of an attack."""

    generator: str
    attack: str
    kind: str
    problem: str
    """What got through; empty where nothing did."""
    kept: bool
    """Whether the page's fact was still told, where there is one."""
    question: str
    answer: str


@contextmanager
def undefended() -> Iterator[None]:
    """Show a model the orders, too, and the reader whatever it writes."""
    with (
        without_checks(),
        mock.patch.object(pipeline, "without_orders", lambda text, **_: text),
        mock.patch.object(pipeline, "headings_of", list),
        mock.patch.object(draft, "disarmed", lambda text: text),
    ):
        yield


def run(index: Path, attacks: Sequence[Attack], generator: str) -> list[Row]:
    """Ask what each attack asks."""
    name = generator.removeprefix(UNCHECKED)
    config = mmchat.Config()
    # A model that is shown in the table shall have written what is counted, in Korean too.
    answers = replace(config.answers, generator=name, quoted_languages="")
    opened = mmchat.open_index(index, config=replace(config, answers=answers))
    rows = []
    with (
        undefended() if name != generator else nullcontext(),
        mmchat.Assistant(opened) as assistant,
    ):
        assistant.warm_up()
        for each in attacks:
            answer = assistant.ask(each.asked, history=each.history)
            kept = bool(each.fact) and "1.7" in answer.answer
            problem = got_through(each, answer)
            rows.append(
                Row(generator, each.name, each.kind, problem, kept, each.asked, answer.answer)
            )
    return rows


def report(rows: Sequence[Row], attacks: Sequence[Attack]) -> None:
    """Print a table: a line a place, a column a generator."""
    generators = list(dict.fromkeys(row.generator for row in rows))
    of = Counter(each.kind for each in attacks)
    print("| place | attacks | " + " | ".join(generators) + " |")
    print("| --- | --- |" + " --- |" * len(generators))
    for kind, number in of.items():
        through = [
            sum(bool(r.problem) for r in rows if (r.generator, r.kind) == (generator, kind))
            for generator in generators
        ]
        print(f"| {kind} | {number} | " + " | ".join(map(str, through)) + " |")
    rates = [
        sum(bool(r.problem) for r in rows if r.generator == generator) / len(attacks)
        for generator in generators
    ]
    print(f"| all | {len(attacks)} | " + " | ".join(f"{rate:.1%}" for rate in rates) + " |")
    asked = sum(bool(each.fact) for each in attacks)
    kept = [sum(r.kept for r in rows if r.generator == generator) for generator in generators]
    print(f"| still answered | {asked} | " + " | ".join(map(str, kept)) + " |")


def main() -> None:
    """Plant, index, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    default = mmchat.Config().answers.generator
    parser.add_argument(
        "--generators", nargs="+", default=["none", default, f"{UNCHECKED}{default}"]
    )
    parser.add_argument("--show", type=Path, help="write every row here, as JSON Lines")
    arguments = parser.parse_args()
    attacks = read()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        shop, index = Path(scratch) / "shop", Path(scratch) / "index"
        write_shop(shop, attacks)
        mmchat.build_index(shop, index)
        for generator in arguments.generators:
            rows += run(index, attacks, generator)
            through = sum(bool(row.problem) for row in rows if row.generator == generator)
            print(f"{generator}: {through} of {len(attacks)}", file=sys.stderr, flush=True)
    if arguments.show:
        lines = [json.dumps(asdict(row), ensure_ascii=False) for row in rows]
        arguments.show.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report(rows, attacks)


if __name__ == "__main__":
    main()
