"""Every text that ``mxgw admin`` says, in English and Japanese, by its key."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from mxgw.admin.words.backup import BACKUP
from mxgw.admin.words.canary import CANARY
from mxgw.admin.words.certificate import CERTIFICATE
from mxgw.admin.words.cloud import CLOUD
from mxgw.admin.words.device import DEVICE
from mxgw.admin.words.dns import DNS
from mxgw.admin.words.help import HELP
from mxgw.admin.words.importing import IMPORTING
from mxgw.admin.words.phone import PHONE
from mxgw.admin.words.queue import QUEUE
from mxgw.admin.words.refusals import REFUSALS
from mxgw.admin.words.sendgrid import SENDGRID
from mxgw.admin.words.stack import STACK
from mxgw.admin.words.talk import TALK
from mxgw.admin.words.text import Text
from mxgw.admin.words.update import UPDATE
from mxgw.admin.words.watch import WATCH
from mxgw.admin.words.watch_commands import WATCH_COMMANDS

PARTS: Final[tuple[Mapping[str, Text], ...]] = (
    HELP,
    TALK,
    BACKUP,
    UPDATE,
    IMPORTING,
    REFUSALS,
    DNS,
    DEVICE,
    PHONE,
    QUEUE,
    CLOUD,
    SENDGRID,
    CERTIFICATE,
    STACK,
    WATCH,
    WATCH_COMMANDS,
    CANARY,
)

CATALOGUE: Final[Mapping[str, Text]] = {key: text for part in PARTS for key, text in part.items()}


class Language(StrEnum):
    """What --lang takes."""

    EN = "en"
    JA = "ja"


class Words:
    """The catalogue in one language: ``words("user-added", address="taro@example.jp")``."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **facts: str | int) -> str:
        """The text of a key, which must be in the catalogue, with its placeholders filled."""
        text = CATALOGUE[key]
        said = text.ja if self.language is Language.JA else text.en
        return said.format(**facts)


def language_named(name: str) -> Language | None:
    """The language of --lang."""
    return Language(name) if name in set(Language) else None


def language_of(environ: Mapping[str, str]) -> Language:
    """The language of the locale (POSIX: the first of LC_ALL, LC_MESSAGES, LANG that is set)."""
    names = (environ.get(variable, "") for variable in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next((name for name in names if name), "")
    return Language.JA if locale.lower().startswith("ja") else Language.EN
