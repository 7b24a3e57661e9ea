"""Make documents of the rows of a table: each is one product, or one question with its answer.

Where the rows come from (CSV, Excel, JSON) is the business of the loaders; what the columns are, of
`columns`.
"""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mmchat.config import ColumnsConfig
from mmchat.errors import FileRejected
from mmchat.ingest.base import LoadedDocument, LoadedPart, SourcePath
from mmchat.ingest.columns import find_roles, says_nothing, unique_names
from mmchat.ingest.elements import ElementReader
from mmchat.ingest.html import parse
from mmchat.ingest.naming import humanise, resolve_path
from mmchat.ingest.writer import DocumentWriter, clean, shorten
from mmchat.pictures import SUFFIXES
from mmchat.types import MetadataValue

CellValue = str | int | float | bool | datetime.date | datetime.time | datetime.timedelta | None
"""What a cell may hold."""

_DOCUMENTS_AT_ONCE = 256
_CHARS_AT_ONCE = 1_000_000
_METADATA_CHARS = 1_000
_ID_CHARS = 120
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{1,12}")
_DECIMAL_COMMA = re.compile(r"-?(?:0|[1-9]\d{0,14}),\d{1,12}")
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.I)
_MARKUP = re.compile(
    r"</?(?:p|br|div|span|ul|ol|li|b|i|em|strong|table|h[1-6]|a|font)\b[^>]*>", re.I
)


class Table:
    """A table with its header read: makes a document of each row.

    Args:
        source: the file.
        names: of the columns.
        config: what the settings say about columns.
        prefix: stands before the ids of the rows, where a file holds several tables.
        decimal_comma: whether `39,90` is a number.
    """

    def __init__(
        self,
        source: SourcePath,
        names: Sequence[str],
        config: ColumnsConfig,
        *,
        prefix: str = "",
        decimal_comma: bool = False,
    ) -> None:
        self.source = source
        self.names = unique_names([clean(name) for name in names])
        self.roles = find_roles(self.names, config)
        self.prefix = prefix
        self._decimal_comma = decimal_comma
        # Hashes, not the ids themselves: a table of millions of rows has as many.
        self._seen: set[int] = set()

    @property
    def note(self) -> str:
        """What the columns were taken for, in a sentence."""
        where = self.source.relative + (f" ({self.prefix})" if self.prefix else "")
        return f"{where}: {self.roles.describe(self.names)}"

    def document(
        self,
        number: int,
        place: str,
        cells: Sequence[CellValue],
        further: Mapping[str, CellValue] | None = None,
    ) -> LoadedDocument | None:
        """Return the document of a row; None for one that is blank.

        Args:
            number: of the row, by which it is called where it has no id.
            place: where it is found, for messages: `line 7`.
            cells: what stands in the columns; cells at the end may be missing.
            further: name to value of what stands in no column of the header.

        Raises:
            FileRejected: it has cells without a column, or the id of another row.
        """
        shown = [_shown(cell, self.source.relative) for cell in cells]
        while shown and not shown[-1]:
            shown.pop()
        if not shown and not further:
            return None
        if len(shown) > len(self.names):
            raise FileRejected(
                f"{self.source.relative}, {place}: the row has {len(shown)} cells, the header names "
                f"{len(self.names)}. Name every column in the header; in CSV, put quotes around a cell that "
                "holds a separator."
            )
        row_id = self._row_id(number, place, shown)
        path = f"{self.source.relative}#{self.prefix + '/' if self.prefix else ''}{row_id}"
        title = self._title(shown) or f"{self.source.name} {row_id}"
        more = {clean(n): (v, _shown(v, self.source.relative)) for n, v in (further or {}).items()}
        named = dict(zip(self.names, zip(cells, shown, strict=False), strict=False)) | more
        metadata = {
            name: self._typed(cell, text)
            for name, (cell, text) in named.items()
            if text and len(text) <= _METADATA_CHARS
        }
        writer = DocumentWriter(path, title, metadata, whole=True)
        self._refer(writer, title, shown)
        self._write(writer, shown)
        for name, (_, text) in more.items():
            writer.line(f"{humanise(name)}: {text}" if text else "")
        return writer.document()

    def _row_id(self, number: int, place: str, shown: Sequence[str]) -> str:
        given = shorten(self._cell(shown, self.roles.id), _ID_CHARS)
        row_id = given or f"row-{number}"
        while not given and hash(row_id) in self._seen:
            row_id += "-"
        if hash(row_id) in self._seen:
            name = self.names[self.roles.id or 0]
            raise FileRejected(
                f"{self.source.relative}, {place}: another row has the id '{row_id}' in the column "
                f"'{name}' already. Give each row an id of its own, or set columns.id to another column, "
                "or to 'none' to have the rows numbered."
            )
        self._seen.add(hash(row_id))
        return row_id

    def _cell(self, shown: Sequence[str], place: int | None) -> str:
        return shown[place] if place is not None and place < len(shown) else ""

    def _title(self, shown: Sequence[str]) -> str:
        return self._cell(shown, self.roles.question) or self._cell(shown, self.roles.title)

    def _refer(self, writer: DocumentWriter, title: str, shown: Sequence[str]) -> None:
        named = (
            name for place in self.roles.picture for name in _pictures(self._cell(shown, place))
        )
        for target in dict.fromkeys(_target(name, self.source.relative) for name in named):
            writer.refer(target, title)

    def _write(self, writer: DocumentWriter, shown: Sequence[str]) -> None:
        """Write the text: the question with its answer, then a line for each other column."""
        roles = self.roles
        first = [place for place in (roles.question, roles.answer) if place is not None]
        for place in first:
            writer.line(self._cell(shown, place))
        for place, (name, value) in enumerate(zip(self.names, shown, strict=False)):
            named = place in roles.url or (place in roles.picture and _pictures(value))
            if value and place not in first and not named:
                writer.line(value if says_nothing(name) else f"{humanise(name)}: {value}")

    def _typed(self, cell: CellValue, text: str) -> MetadataValue:
        """Read a number as a number, so that filters can compare it; `007` stays a code."""
        if isinstance(cell, bool):
            return cell
        if text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
        if self._decimal_comma and _DECIMAL_COMMA.fullmatch(text):
            return float(text.replace(",", "."))
        return text


def in_parts(documents: Iterable[LoadedDocument | None]) -> Iterator[LoadedPart]:
    """Yield documents in parts of a few hundred, or of a million characters."""
    gathered: list[LoadedDocument] = []
    length = 0
    for document in documents:
        if document is None:
            continue
        gathered.append(document)
        length += len(document.document.text)
        if len(gathered) >= _DOCUMENTS_AT_ONCE or length >= _CHARS_AT_ONCE:
            yield LoadedPart(tuple(gathered))
            gathered, length = [], 0
    if gathered:
        yield LoadedPart(tuple(gathered))


def _shown(cell: CellValue, relative: str) -> str:
    """Return a cell as text: whole numbers without `.0`, dates in ISO's form, HTML as it is seen."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.12g}"
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        cell = cell.date()
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    text = clean(str(cell)).strip()
    if "<" in text and _MARKUP.search(text):
        return _without_markup(text, relative)
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _without_markup(text: str, relative: str) -> str:
    """Return what is seen of a description in HTML, as web shops keep them."""
    writer = DocumentWriter(relative, "", whole=True)
    page = parse(text, relative)
    if page.body is not None:
        ElementReader(writer, relative).read(page.body, around=False)
    loaded = writer.document()
    shown = loaded.document.text
    stretches = ((*s.breadcrumb[-1:], shown[s.start : s.end].strip()) for s in loaded.sections)
    return "\n".join(line for stretch in stretches for line in stretch)


def _pictures(value: str) -> list[str]:
    """Return the picture files that a cell names: `a.jpg; b.jpg`."""
    names = [part.strip() for part in re.split(r"[;|,\n]", value) if part.strip()]
    suffixes = (*SUFFIXES, ".svg", ".heic", ".heif", ".avif")
    bare = [re.sub(r"[?#].*$", "", name) if "://" in name else name for name in names]
    return [name for name in bare if name.lower().endswith(suffixes)]


def _target(name: str, relative: str) -> str | None:
    """Return the path of a picture; of one on a web server what its file would be called here."""
    if "://" in name or name.startswith("/"):
        name = name.rsplit("/", maxsplit=1)[-1]
    return resolve_path(name, relative)
