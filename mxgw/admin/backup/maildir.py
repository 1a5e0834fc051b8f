"""Maildirs as Dovecot 2.3 writes them: what a copy needs of them, and what is in a copy."""

from __future__ import annotations

import base64
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MESSAGES = ("new", "cur")
LEFT_OUT = ("dovecot.index", "dovecot.list.index", "dovecot.mailbox.log", "dovecot-uidlist.lock", ".nfs")
"""Dovecot makes these anew out of the rest; copied while they change they would be wrong."""

SYSTEM_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
INBOX = "INBOX"

_ESCAPED = re.compile(r"\\([0-9a-fA-F]{2})")
_ENCODED = re.compile(r"&([^-]*)-")


@dataclass(slots=True)
class Summary:
    """One folder: messages, their octets, how many have each flag."""

    messages: int = 0
    octets: int = 0
    flags: Counter[str] = field(default_factory=Counter)

    def add(self, octets: int, flags: Iterator[str] | list[str]) -> None:
        """One message more."""
        self.messages += 1
        self.octets += octets
        self.flags.update(flags)


Folders = Mapping[str, Summary]
"""By name as users see it, "/" between levels."""


def is_needed(name: str) -> bool:
    """Whether a file beside the messages belongs into a copy."""
    return not name.startswith(LEFT_OUT)


def unchanging_part(name: str) -> str:
    """What stays of a message's file name when its flags change."""
    return name.partition(":2,")[0]


def flags_of(name: str, keywords: Mapping[str, str]) -> list[str]:
    """Flags and keywords as IMAP names them, out of a message's file name."""
    letters = name.partition(":2,")[2].partition(",")[0]
    found = (SYSTEM_FLAGS.get(letter) or keywords.get(letter) for letter in letters)
    return [flag for flag in found if flag]


def keywords_of(folder: Path) -> dict[str, str]:
    """Letter and keyword, of the folder's file dovecot-keywords ("0 $Label")."""
    try:
        lines = (folder / "dovecot-keywords").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        number, _, keyword = line.partition(" ")
        if number.isdigit() and int(number) < 26 and keyword:
            found[chr(ord("a") + int(number))] = keyword
    return found


def folder_name(directory: str) -> str:
    """ ".&MMYwuTDI-.2026\\2e04" is "テスト/2026.04"; "" is INBOX (Maildir++, plugin listescape)."""
    if not directory:
        return INBOX
    levels = directory.removeprefix(".").split(".")
    return "/".join(_unescaped(_from_utf7(level)) for level in levels)


def folders_of(home: Path) -> dict[str, Summary]:
    """What is in the Maildir of a home that nobody uses meanwhile."""
    maildir = home / "Maildir"
    found = {}
    for directory in ("", *_folder_directories(maildir)):
        folder = maildir / directory
        if directory and not (folder / "cur").is_dir():
            continue
        found[folder_name(directory)] = _summary(folder)
    return found


def homes(mail: Path) -> list[str]:
    """ "domain/user" of everybody who has a home."""
    if not mail.is_dir():
        return []
    return sorted(
        f"{domain.name}/{home.name}"
        for domain in os.scandir(mail)
        if domain.is_dir(follow_symlinks=False) and not domain.name.startswith(".")
        for home in os.scandir(domain.path)
        if home.is_dir(follow_symlinks=False) and not home.name.startswith(".")
    )


def address_of(home: str) -> str:
    """taro@example.jp of "example.jp/taro"."""
    domain, _, user = home.partition("/")
    return f"{user}@{domain}"


def home_of(address: str) -> str:
    """ "example.jp/taro" of taro@example.jp."""
    user, _, domain = address.partition("@")
    return f"{domain}/{user}"


def _folder_directories(maildir: Path) -> list[str]:
    if not maildir.is_dir():
        return []
    return sorted(one.name for one in os.scandir(maildir) if one.name.startswith(".") and one.is_dir())


def _summary(folder: Path) -> Summary:
    keywords = keywords_of(folder)
    found = Summary()
    for part in MESSAGES:
        if (folder / part).is_dir():
            for one in os.scandir(folder / part):
                if not one.name.startswith("."):
                    found.add(one.stat().st_size, flags_of(one.name, keywords))
    return found


def _unescaped(level: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), level)


def _from_utf7(level: str) -> str:
    """RFC 3501 section 5.1.3; what is not well-formed stays as it is."""

    def put(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        octets = match[1].replace(",", "/")
        try:
            return base64.b64decode(octets + "=" * (-len(octets) % 4)).decode("utf-16-be")
        except ValueError:
            return match[0]

    return _ENCODED.sub(put, level)
