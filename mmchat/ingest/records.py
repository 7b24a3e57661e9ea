"""Read JSON Lines, and JSON files that hold a list: each object is a row of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadContext, LoadedDocument, LoadedPart, SourcePath
from mmchat.ingest.decoding import read_text, text_lines
from mmchat.ingest.tables import CellValue, Table, in_parts

# Objects need not have the same keys: the columns are those of the first ones together.
_SAMPLE = 200
_MAX_CELLS = 10_000

Record = dict[str, CellValue]


def load_json_lines(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a file with an object on each line.

    Raises:
        FileRejected: a line is not an object, or two have the same id; the message names the line.
    """
    yield from _load(source, context, record_lines(source))


def load_json(source: SourcePath, context: LoadContext) -> Iterator[LoadedPart]:
    """Read a JSON file that holds a list of objects, or an object with one such list in it.

    Raises:
        FileRejected: it is not JSON, or holds no such list.
    """
    try:
        content = json.loads(read_text(source))
    except (ValueError, RecursionError) as error:
        raise FileRejected(
            f"{source.relative} is not valid JSON ({_reason(error)}). Correct it there."
        ) from error
    if isinstance(content, dict):
        lists = [value for value in content.values() if _is_rows(value)]
        content = lists[0] if len(lists) == 1 else content
    if not _is_rows(content):
        raise FileRejected(
            f"{source.relative} holds no list of objects. Expected [{{…}}, {{…}}], each a product or a "
            "question with its answer."
        )
    numbered = enumerate(content, start=1)
    yield from _load(source, context, ((n, f"object {n}", _flatten(one)) for n, one in numbered))


def _load(
    source: SourcePath, context: LoadContext, records: Iterator[tuple[int, str, Record]]
) -> Iterator[LoadedPart]:
    sample = list(islice(records, _SAMPLE))
    names = list(dict.fromkeys(name for _, _, record in sample for name in record))
    table = Table(source, names, context.columns)
    yield LoadedPart(notes=(table.note,))
    documents = _documents(table, names, chain(sample, records))
    first = next((document for document in documents if document), None)
    if first is None:
        raise FileRejected(
            f"{source.relative} holds only empty objects. Add content, or remove it."
        )
    yield from in_parts(chain([first], documents))


def _documents(
    table: Table, names: list[str], records: Iterable[tuple[int, str, Record]]
) -> Iterator[LoadedDocument | None]:
    known = set(names)
    for number, place, record in records:
        further = {name: value for name, value in record.items() if name not in known}
        cells = [record.get(name) for name in names]
        yield table.document(number, place, cells, further)


def record_lines(source: SourcePath) -> Iterator[tuple[int, str, Record]]:
    """Yield the number, the place (`line 5`) and the object of each line of a JSON Lines file.

    Raises:
        FileRejected: a line is not an object; the message names it.
    """
    for number, line in enumerate(text_lines(source), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FileRejected(
                f"{source.relative}, {place}: it is not valid JSON ({_reason(error)}). Correct the line, "
                "or remove it."
            ) from error
        if not isinstance(content, dict):
            raise FileRejected(
                f'{source.relative}, {place}: expected an object ({{"name": …}}), got {line[:40]!r}.'
            )
        yield number, place, _flatten(content)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _flatten(content: dict[str, Any]) -> Record:
    """Return an object with the values of those inside of it: `specs.weight`, `variants.2.price`."""
    flat: Record = {}
    waiting = [(str(key), value) for key, value in reversed(content.items())]
    while waiting and len(flat) < _MAX_CELLS:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}", inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
            parts = enumerate(value, start=1)
            waiting += reversed([(f"{name}.{number}", part) for number, part in parts])
        elif isinstance(value, list):
            flat[name] = ", ".join("" if part is None else str(part) for part in value)
        else:
            flat[name] = value
    return flat


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
