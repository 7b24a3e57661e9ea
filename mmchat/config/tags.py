"""The settings of tags."""

from __future__ import annotations

from dataclasses import dataclass

from mmchat.config.checks import require as _require


@dataclass(frozen=True, slots=True)
class TagsConfig:
    """What pictures are said to show."""

    enabled: bool = True
    """Whether pictures get a tag: what they probably show, in the names of your own things."""
    names: tuple[str, ...] = ()
    """The names to choose from. Without any they are found in titles of products, columns such as `category`,
    and names of folders with pictures."""
    least: float = 0.5
    """A less probable tag is not given."""

    def __post_init__(self) -> None:
        _require(0 < self.least <= 1, "tags.least", self.least, "above 0, up to 1")
