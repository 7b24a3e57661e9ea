"""Write docs/settings.md from the settings themselves; with --check only tell whether it is up to date."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import mmchat.config.owner
import mmchat.config.sections
import mmchat.config.service
import mmchat.config.tags
from mmchat.config import Config

TARGET = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """\
# Settings

A flag beats the environment, the environment beats the file, the file beats the default.

- file: `mmchat.toml` in the working folder, or `--config FILE`; the part before the dot is the section
- environment: `MMCHAT_` and the key in capitals, the dot as `_`: `MMCHAT_RETRIEVAL_K=8`
- `index`, `search`, `ask`, `serve` and `info`: `--set retrieval.k=8`, as often as needed

An unknown key is refused, and the nearest that exists is named.

```toml
[retrieval]
k = 8

[answers]
generator = "none"

[service]
forbidden_topics = ["politics", "/competitor (a|b)/"]

[handoff]
amount = 200

[web]
company = "Lumbrook"
```

A list is written `["one", "two"]` in the file, and `one,two` in the environment and as a flag.

`MMCHAT_HOME` names the folder for models, `MMCHAT_INDEX` the index that is used where none is named,
`MMCHAT_API_KEY` is the key of the server that `answers.generator` names.

This page is written by `scripts/write_settings_doc.py` from `sections.py`, `service.py`, `tags.py` and
`owner.py` in `mmchat/config`.

| key | default | meaning |
| --- | --- | --- |
"""


def meanings() -> dict[tuple[str, str], str]:
    """Return (class, field) to the sentence that stands below the field in the source."""
    found: dict[tuple[str, str], str] = {}
    modules = (
        mmchat.config.owner,
        mmchat.config.sections,
        mmchat.config.service,
        mmchat.config.tags,
    )
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    for node in (node for source in sources for node in ast.parse(source).body):
        if not isinstance(node, ast.ClassDef):
            continue
        for entry, following in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(entry, ast.AnnAssign)
                and isinstance(entry.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                found[node.name, entry.target.id] = " ".join(str(following.value.value).split())
    return found


def rows() -> Iterator[str]:
    """Yield a row of the table for each setting."""
    meaning = meanings()
    config = Config()
    for section in fields(config):
        part = getattr(config, section.name)
        for setting in fields(part):
            default = getattr(part, setting.name)
            shown = ", ".join(default) if isinstance(default, tuple) else str(default)
            shown = shown or "(empty)"
            text = meaning[type(part).__name__, setting.name]
            yield f"| {section.name}.{setting.name} | {shown} | {text} |\n"


def main() -> int:
    """Write the page, or compare it."""
    text = HEAD + "".join(rows())
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
