"""Every text that ``mxgw doctor`` says, beside those that it shares with ``mxgw admin``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mxgw.admin.words import Language, Words
from mxgw.admin.words.text import Text
from mxgw.doctor.words.domain import DOMAIN
from mxgw.doctor.words.edge import EDGE
from mxgw.doctor.words.help import HELP
from mxgw.doctor.words.house import HOUSE

CATALOGUE: Final[Mapping[str, Text]] = {**HELP, **EDGE, **DOMAIN, **HOUSE}


class DoctorWords(Words):
    """The doctor's catalogue in one language; what is not in it is looked for in that of ``mxgw admin``."""

    def __call__(self, key: str, **facts: str | int) -> str:
        """The text of a key, with its placeholders filled."""
        text = CATALOGUE.get(key)
        if text is None:
            return super().__call__(key, **facts)
        said = text.ja if self.language is Language.JA else text.en
        return said.format(**facts)
