"""One text in every language that the command speaks."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """The same sentence in English and in Japanese, with the same ``{placeholders}``."""

    en: str
    ja: str
