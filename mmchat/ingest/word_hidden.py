"""Leave out of a Word file what its reader does not see: hidden text, white on white, and letters of no size.

mammoth knows nothing of colours. What takes its look from a style, or stands in a coloured cell or in a text
box, is kept: it may well be seen.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

_PARTS = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
_SUSPECT = re.compile(
    rb'<w:(?:vanish|webHidden)\b|w:color [^>]*w:val="[fF]{6}"|<w:sz w:val="[1-4]"'
)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SMALLEST = 5
"""Half points: what is smaller than 2.5 pt nobody reads."""
_OFF = {"0", "false", "off", "none"}


def shown_part(path: Path) -> BinaryIO:
    """Return the file without the runs that are hidden, open for reading from its beginning.

    Raises:
        zipfile.BadZipFile, OSError: it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        changed = {
            name: cleaned
            for name in _PARTS
            if name in archive.namelist()
            and _SUSPECT.search(content := archive.read(name))
            and (cleaned := _without_hidden_runs(content)) is not None
        }
        if not changed:
            return path.open("rb")
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as copy:
            for entry in archive.infolist():
                copy.writestr(entry, changed.get(entry.filename) or archive.read(entry))
    written.seek(0)
    return written


def _without_hidden_runs(content: bytes) -> bytes | None:
    from lxml import etree

    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=False))
    except etree.XMLSyntaxError:
        return None  # mammoth says what is wrong with it
    coloured_page = root.find(f"{_W}background") is not None
    for run in list(root.iter(f"{_W}r")):
        look = run.find(f"{_W}rPr")
        if look is not None and _is_hidden(run, look, coloured_page=coloured_page):
            for text in [*run.iter(f"{_W}t"), *run.iter(f"{_W}tab")]:
                text.getparent().remove(text)
    done: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return done


def _is_hidden(run: Any, look: Any, *, coloured_page: bool) -> bool:
    vanish = look.find(f"{_W}vanish")
    if vanish is not None and vanish.get(f"{_W}val", "1").lower() not in _OFF:
        return True
    size = (_value(look, "sz") or "").strip()
    if size.isdigit() and int(size) < _SMALLEST:
        return True
    white = (_value(look, "color") or "").upper() == "FFFFFF"
    return white and not coloured_page and not _has_ground(run, look)


def _has_ground(run: Any, look: Any) -> bool:
    """Tell whether white letters may stand on a colour."""
    if look.find(f"{_W}highlight") is not None or look.find(f"{_W}shd") is not None:
        return True
    return any(
        above.tag in {f"{_W}tc", f"{_W}txbxContent"}
        or (above.tag == f"{_W}p" and above.find(f"{_W}pPr/{_W}shd") is not None)
        for above in run.iterancestors()
    )


def _value(look: Any, name: str) -> str | None:
    found = look.find(f"{_W}{name}")
    value: str | None = None if found is None else found.get(f"{_W}val")
    return value
