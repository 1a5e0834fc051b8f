"""The domains we accept mail for: given as a list, or kept in a file that may change while we run."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mxgw.config.forms import domain_name, split_words, unicode_domain
from mxgw.config.remote import Parameter

MAX_FILE_OCTETS = 1024 * 1024
"""About 50,000 domains; a larger file is some other file by mistake."""

RECHECK_SECONDS = 1.0
"""How long a change of the file may go unseen: one stat a second costs nothing, one per RCPT would."""


@dataclass(frozen=True, slots=True)
class DomainList:
    """Domains as lower-case A-labels in the order given; the first one's postmaster is ours.

    ``file`` or ``parameter`` is where they were read from, both are None where they were given literally.
    """

    names: tuple[str, ...]
    file: Path | None = None
    parameter: Parameter | None = None

    def __str__(self) -> str:
        if self.parameter is not None:
            return str(self.parameter)
        return ",".join(self.names) if self.file is None else f"file:{self.file}"


def domain_list(text: str) -> DomainList:
    """``a.example,b.example`` or ``file:/path``. Raises ValueError with the reason."""
    if text.startswith("file:"):
        path = Path(text.removeprefix("file:"))
        try:
            with _open(path) as octets:
                return DomainList(_read(octets.read(MAX_FILE_OCTETS + 1)), path)
        except OSError as error:
            raise ValueError(f"the file cannot be read: {error.strerror}") from None
    return DomainList(_normalised((f"domain {n}", word) for n, word in enumerate(split_words(text), 1)))


def parameter_domains(parameter: Parameter, text: str) -> DomainList:
    """The domains in the value of a parameter: separated by commas, or one a line with comments as in a file.

    Raises ValueError with the reason.
    """
    words = (word.strip() for line in text.splitlines() for word in line.partition("#")[0].split(","))
    numbered = enumerate((word for word in words if word), 1)
    return DomainList(_normalised((f"domain {n}", word) for n, word in numbered), parameter=parameter)


class DomainSource:
    """The domains as they are now. A file is read again when it changed, looked at once a second at most.
    What is kept elsewhere is watched by others, who hand it in with ``replace``.

    A file that became unreadable, empty or wrong keeps the last good domains and is reported once
    per reason: a slip of the editor must not turn every mail away for good.
    """

    def __init__(
        self,
        domains: DomainList,
        *,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = domains.file
        self._report = report
        self._clock = clock
        self._first = domains.names[0]
        self._names = _spellings(domains.names)
        self._seen: tuple[int, ...] | None = None
        self._complaint = ""
        # Looked at on the first use too: the file may have changed since it was parsed.
        self._next_look = clock()

    @property
    def first(self) -> str:
        """The first domain: mail for <postmaster> without a domain goes there."""
        self.current()
        return self._first

    def current(self) -> frozenset[str]:
        """The domains we accept mail for: lower-case A-labels, and U-labels where they differ (RFC 6531)."""
        if self._path is not None and (now := self._clock()) >= self._next_look:
            self._next_look = now + RECHECK_SECONDS
            self._look(self._path)
        return self._names

    def replace(self, names: tuple[str, ...]) -> None:
        """From now on these are the domains; at least one."""
        self._first, self._names = names[0], _spellings(names)

    def _look(self, path: Path) -> None:
        try:
            with _open(path) as octets:
                facts = os.fstat(octets.fileno())
                signature = (facts.st_mtime_ns, facts.st_size, facts.st_ino, facts.st_dev)
                if signature == self._seen:
                    return
                names = _read(octets.read(MAX_FILE_OCTETS + 1))
        except OSError as error:
            self._seen = None
            self._complain(f"{path}: {error.strerror}; the domains stay as they were")
        except ValueError as error:
            self._complain(f"{path}: {error}; the domains stay as they were")
        else:
            self._seen, self._complaint = signature, ""
            self.replace(names)

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            self._report(complaint)


def _open(path: Path) -> BinaryIO:
    # Looked at before it is opened: opening a pipe would wait for its writer.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a regular file")
    return path.open("rb")


def _read(octets: bytes) -> tuple[str, ...]:
    if len(octets) > MAX_FILE_OCTETS:
        raise ValueError(f"the file is larger than {MAX_FILE_OCTETS} octets")
    try:
        lines = octets.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    texts = ((f"line {number}", line.partition("#")[0].strip()) for number, line in enumerate(lines, 1))
    return _normalised((where, text) for where, text in texts if text)


def _normalised(words: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for where, word in words:
        try:
            names[domain_name(word)] = None
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    if not names:
        raise ValueError("there is no domain in it")
    return tuple(names)


def _spellings(names: Iterable[str]) -> frozenset[str]:
    return frozenset(spelling for name in names for spelling in (name, unicode_domain(name)))
