"""Every text that ``mxgw trace`` says, in English and Japanese, by its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mxgw.trail.words.advice import ADVICE
from mxgw.trail.words.conclusions import CONCLUSIONS
from mxgw.trail.words.help import HELP
from mxgw.trail.words.sent import SENT
from mxgw.trail.words.talk import TALK
from mxgw.trail.words.text import Text

CATALOGUE: Final[Mapping[str, Text]] = {**HELP, **TALK, **CONCLUSIONS, **ADVICE, **SENT}


class Speech:
    """The catalogue in one language: ``speech("nothing-found", query="taro@example.jp")``."""

    def __init__(self, *, japanese: bool) -> None:
        self.japanese = japanese

    def __call__(self, key: str, **facts: str | int) -> str:
        """The text of a key, which must be in the catalogue, with its placeholders filled."""
        text = CATALOGUE[key]
        return (text.ja if self.japanese else text.en).format(**facts)
