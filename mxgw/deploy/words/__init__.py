"""Every text that ``mxgw deploy`` says, beside those that it shares with ``mxgw doctor`` and ``mxgw admin``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mxgw.admin.words import Language
from mxgw.admin.words.text import Text
from mxgw.deploy.words.help import HELP
from mxgw.deploy.words.refusals import REFUSALS
from mxgw.deploy.words.settings import SETTINGS
from mxgw.deploy.words.talk import TALK
from mxgw.doctor.words import DoctorWords

PARTS: Final[tuple[Mapping[str, Text], ...]] = (HELP, TALK, REFUSALS, SETTINGS)

CATALOGUE: Final[Mapping[str, Text]] = {key: text for part in PARTS for key, text in part.items()}


class DeployWords(DoctorWords):
    """The catalogue in one language; what is not in it is looked for in that of ``mxgw doctor``."""

    def __call__(self, key: str, **facts: str | int) -> str:
        """The text of a key, with its placeholders filled."""
        text = CATALOGUE.get(key)
        if text is None:
            return super().__call__(key, **facts)
        said = text.ja if self.language is Language.JA else text.en
        return said.format(**facts)
