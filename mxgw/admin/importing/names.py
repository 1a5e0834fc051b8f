"""What a folder of another server is called here. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

VIEWS = frozenset({"\\flagged", "\\important"})
"""Folders that show messages of other folders (RFC 6154 section 2, RFC 8457): they hold nothing alone."""

EVERYTHING = "\\all"
"""RFC 6154: every message, also those of other folders. At Gmail, what was archived is in this one alone."""

ARCHIVE = "Archive"

_USES = {
    "\\sent": "Sent",
    "\\drafts": "Drafts",
    "\\junk": "Junk",
    "\\trash": "Trash",
    "\\archive": ARCHIVE,
    EVERYTHING: ARCHIVE,
}
"""By SPECIAL-USE; the folders of dovecot.conf."""

_USUAL = {
    "Sent": "sent|sent items|sent messages|sent mail|sent-mail|送信済み|送信済みメール|送信済みアイテム",
    "Drafts": "drafts|draft|下書き",
    "Junk": "junk|junk e-mail|junk email|junk mail|spam|bulk|bulk mail|迷惑メール",
    "Trash": "trash|deleted items|deleted messages|deleted|bin|ごみ箱|ゴミ箱|削除済みアイテム|削除済みメール",
    ARCHIVE: "archive|archives|アーカイブ",
}
"""What Outlook, Apple Mail, Yahoo and Japanese providers call them."""

_BY_NAME = {name: here for here, names in _USUAL.items() for name in names.split("|")}
_ENCODED = re.compile("&([^-]*)-")
_TO_ENCODE = re.compile("[^\x20-\x7e]+")


def here(name: str, delimiter: str, attributes: Iterable[str]) -> str:
    """The folder here, levels parted by "/": ours for each special use, else the same name.

    Some servers put every folder below INBOX; here they stand beside it.
    """
    for attribute in attributes:
        if attribute.lower() in _USES:
            return _USES[attribute.lower()]
    levels = name.split(delimiter) if delimiter else [name]
    if levels[0].upper() == "INBOX":
        levels = ["INBOX"] if len(levels) == 1 else levels[1:]
    if len(levels) == 1 and levels[0].casefold() in _BY_NAME:
        return _BY_NAME[levels[0].casefold()]
    # A slash in a name is a level here.
    kept = [_printable(level.replace("/", "-")) for level in levels]
    return "/".join(level for level in kept if level) or "INBOX"


def decoded(name: str) -> str:
    """Of modified UTF-7 (RFC 3501 section 5.1.3); as it is, where it is none."""
    try:
        return _ENCODED.sub(_from_base64, name)
    except ValueError:
        return name


def encoded(name: str) -> str:
    """To modified UTF-7."""
    return _TO_ENCODE.sub(_to_base64, name.replace("&", "&-"))


def _from_base64(found: re.Match[str]) -> str:
    text = found[1].replace(",", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-16-be") if text else "&"


def _to_base64(found: re.Match[str]) -> str:
    text = base64.b64encode(found[0].encode("utf-16-be", "surrogatepass")).decode()
    return f"&{text.rstrip('=').replace('/', ',')}-"


def _printable(level: str) -> str:
    return "".join(character for character in level if character.isprintable())
