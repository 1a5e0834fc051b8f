"""What is to come, and its coming."""

from __future__ import annotations

import imaplib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mxgw.admin.importing.names import EVERYTHING, encoded
from mxgw.admin.importing.sessions import (
    MAX_MESSAGE_OCTETS,
    Folder,
    Header,
    Home,
    HomeHangsError,
    Mailbox,
    hangs,
)
from mxgw.admin.refusal import Refused


class Memory(Protocol):
    """Which messages came already: folder, UIDVALIDITY and UID there."""

    def __contains__(self, message: tuple[str, int, int]) -> bool: ...

    def add(self, message: tuple[str, int, int], found: str) -> None:
        """It is here; ``found`` is the message's print."""

    def prints(self, *, but: str) -> set[str]:
        """Of every message that came, except out of one folder."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A folder there: its messages, and those that did not come yet."""

    folder: Folder
    validity: int
    messages: int
    new: tuple[int, ...]

    @property
    def opens(self) -> bool:
        """The server lets us look into it."""
        return self.validity > 0


@dataclass(slots=True)
class Came:
    """Messages that are new here; that were here; that could not be taken over, and why the last of them."""

    copied: int = 0
    here: int = 0
    left: int = 0
    why: str = ""


def plan(old: Mailbox, remembered: Memory) -> list[Planned]:
    """All folders, that of everything last: only what no other has comes out of that. Raises Refused."""
    try:
        return _plan(old, remembered)
    except (OSError, imaplib.IMAP4.error) as error:
        raise Refused("import-broke-off", failure=True, copied=0, why=str(error)[:200]) from None


def _plan(old: Mailbox, remembered: Memory) -> list[Planned]:
    found = []
    for folder in sorted(
        old.folders(), key=lambda one: (EVERYTHING in one.uses, one.target != "INBOX", one.name)
    ):
        validity, uids = old.open(folder.wire)
        new = tuple(uid for uid in uids if (folder.wire, validity, uid) not in remembered)
        found.append(Planned(folder, validity, len(uids), new))
    return found


def copy(
    old: Mailbox,
    home: Home,
    planned: Sequence[Planned],
    remembered: Memory,
    *,
    address: str,
    passed: Callable[[int], None],
) -> Came:
    """Every new message. Raises Refused where the mailbox is full, or a connection breaks; to run it again
    goes on from there."""
    came = Came()
    try:
        for one in planned:
            if one.new:
                _folder(old, home, one, remembered, came, passed)
    except _FullError:
        raise Refused("import-full", failure=True, address=address, copied=came.copied) from None
    except HomeHangsError as error:
        raise hangs(address, error.seconds, copied=came.copied) from None
    except KeyboardInterrupt:
        raise Refused("import-broke-off", failure=True, copied=came.copied, why="Ctrl-C") from None
    except (OSError, imaplib.IMAP4.error) as error:
        raise Refused("import-broke-off", failure=True, copied=came.copied, why=str(error)[:200]) from None
    return came


class _FullError(Exception):
    """RFC 5530 section 3, OVERQUOTA."""


def _folder(
    old: Mailbox,
    home: Home,
    one: Planned,
    remembered: Memory,
    came: Came,
    passed: Callable[[int], None],
) -> None:
    folder = one.folder
    if why := home.make(folder.target):
        came.left, came.why = came.left + len(one.new), why
        return
    # A run that was interrupted between storing and remembering; mail that came here by another way.
    present = _present(home, folder.target)
    elsewhere = remembered.prints(but=folder.wire) if EVERYTHING in folder.uses else set()
    validity, _ = old.open(folder.wire)
    if validity != one.validity:
        raise imaplib.IMAP4.abort(folder.name)
    seen = 0
    for header in old.headers(one.new):
        key = (folder.wire, one.validity, header.uid)
        if header.print in elsewhere or present[header.print] > 0:
            present[header.print] -= 1
            came.here += 1
            remembered.add(key, header.print)
        elif why := _message(old, home, folder.target, header):
            came.left, came.why = came.left + 1, why
        else:
            came.copied += 1
            remembered.add(key, header.print)
        seen += 1
        passed(1)
    # Whatever went away there meanwhile, or is not told.
    passed(len(one.new) - seen)


def _present(home: Home, target: str) -> Counter[str]:
    _, uids = home.open(encoded(target))
    found = Counter(header.print for header in home.headers(uids))
    # Opened for reading alone, so that nothing is expunged (RFC 3501 section 6.4.2).
    home.session.close()
    return found


def _message(old: Mailbox, home: Home, target: str, header: Header) -> str:
    """Why it could not be taken over."""
    if header.octets > MAX_MESSAGE_OCTETS:
        return f"{header.octets} octets"
    message = old.message(header.uid)
    if not message:
        return f"UID {header.uid}"
    why = home.add(target, header, message)
    if "[OVERQUOTA]" in why.upper():
        raise _FullError
    return why
