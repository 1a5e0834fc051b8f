"""Copying homes while their users work: every message that was there at the beginning is in the copy.

A message's file never changes, it is only renamed (flags), moved or deleted. So the copy links what the
last backup has already, and looks again until nothing new is found: what went from a folder not yet seen to
one seen already is not lost (it may be there twice, in a copy made in that moment). Dovecot's indexes are
left out; it makes them anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mxgw.admin.backup.maildir import MESSAGES, is_needed, unchanging_part

MAX_PASSES = 4
"""Each finds what was moved during the one before; the second is nearly always the last."""


@dataclass(slots=True)
class Copied:
    """Digests by path below the backup's directory; octets written and octets linked."""

    sums: dict[str, str] = field(default_factory=dict)
    written: int = 0
    linked: int = 0


@dataclass(frozen=True, slots=True)
class Last:
    """The backup before: its directory, and its digests of this home."""

    top: Path
    sums: dict[str, str]


def copy_home(source: Path, top: Path, name: str, last: Last | None, passed: Callable[[int], None]) -> Copied:
    """The home at ``source`` to ``top/name``. ``passed`` hears of octets that are done."""
    copy = _Copy(source, top, name, last, passed)
    for _ in range(MAX_PASSES):
        if not copy.run():
            break
    return copy.copied


def new_octets(source: Path, name: str, last: Last | None) -> int:
    """How much of a home the last backup does not have: what a copy will write."""
    known = (
        {(os.path.dirname(path), unchanging_part(os.path.basename(path))) for path in last.sums}
        if last
        else set()
    )
    found = 0
    for directory, _, files in os.walk(source):
        below = os.path.join(name, os.path.relpath(directory, source))
        parent, part = os.path.split(os.path.normpath(below))
        for file in files:
            keys = ((os.path.join(parent, it), unchanging_part(file)) for it in (part, *MESSAGES))
            if is_needed(file) and not any(key in known for key in keys):
                found += _size(os.path.join(directory, file))
    return found


class _Copy:
    def __init__(
        self, source: Path, top: Path, name: str, last: Last | None, passed: Callable[[int], None]
    ) -> None:
        self.copied = Copied()
        self._source, self._top, self._name, self._last, self._passed = source, top, name, last, passed
        self._done: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], str] = {}
        for path in last.sums if last else ():
            folder, part = os.path.split(os.path.dirname(path))
            if part in MESSAGES:
                self._known[folder, unchanging_part(os.path.basename(path))] = path

    def run(self) -> bool:
        """One pass; whether it found a message that the pass before had not."""
        found = False
        for directory, names, files in os.walk(self._source):
            here = os.path.normpath(os.path.join(self._name, os.path.relpath(directory, self._source)))
            self._directory(Path(directory), here)
            if {*MESSAGES, "tmp"} <= set(names):
                for name in (*MESSAGES, "tmp"):
                    self._directory(Path(directory, name), f"{here}/{name}")
                found |= self._messages(directory, here)
                names[:] = [name for name in names if name not in {*MESSAGES, "tmp"}]
            # Behind the messages: what it knows more than them, Dovecot takes for expunged.
            for name in (*files, *(it for it in names if os.path.islink(os.path.join(directory, it)))):
                if is_needed(name):
                    self._file(os.path.join(directory, name), f"{here}/{name}")
        return found

    def _messages(self, directory: str, here: str) -> bool:
        found = False
        # Renamed between the look and the copy: looked for again.
        for _ in range(MAX_PASSES):
            missed = False
            for part in MESSAGES:
                for name in _names(os.path.join(directory, part)):
                    key = (here, unchanging_part(name))
                    if name.startswith(".") or key in self._done:
                        continue
                    try:
                        self._message(os.path.join(directory, part, name), f"{here}/{part}/{name}", key)
                    except FileNotFoundError:
                        missed = True
                        continue
                    self._done.add(key)
                    found = True
            if not missed:
                break
        return found

    def _message(self, source: str, path: str, key: tuple[str, str]) -> None:
        target = self._top / path
        size = os.stat(source).st_size
        old = self._known.get(key)
        if (
            old
            and self._last
            and _size(self._last.top / old) == size
            and _linked(self._last.top / old, target)
        ):
            self.copied.sums[path] = self._last.sums[old]
            self.copied.linked += size
            self._passed(size)
            return
        self._write(source, path)

    def _file(self, source: str, path: str) -> None:
        target = self._top / path
        if os.path.islink(source):
            target.unlink(missing_ok=True)
            target.symlink_to(os.readlink(source))
            return
        try:
            target.unlink(missing_ok=True)
            self._write(source, path)
        except FileNotFoundError:
            # Written anew by a rename, or gone.
            self.copied.sums.pop(path, None)

    def _write(self, source: str, path: str) -> None:
        target = self._top / path
        digest = hashlib.sha256()
        with open(source, "rb") as read, target.open("xb") as write:
            while octets := read.read(1024 * 1024):
                digest.update(octets)
                write.write(octets)
                self.copied.written += len(octets)
                self._passed(len(octets))
            facts = os.fstat(read.fileno())
        # Closed before: what is written last would set the time, which is when the message came.
        _like(facts, target)
        self.copied.sums[path] = digest.hexdigest()

    def _directory(self, source: Path, path: str) -> None:
        target = self._top / path
        if not target.is_dir():
            target.mkdir(mode=0o700, parents=True)
            # A folder that was just deleted leaves an empty one.
            with contextlib.suppress(FileNotFoundError):
                _like(source.stat(), target)


def lay_out(source: Path, target: Path) -> None:
    """A second tree of a home in a backup, for a Dovecot that may write beside the messages: those are links
    to the backup's, everything else is a copy."""
    for directory, names, files in os.walk(source):
        there = target / os.path.relpath(directory, source)
        there.mkdir(mode=0o700, parents=True, exist_ok=True)
        _like(os.stat(directory), there)
        message = os.path.basename(directory) in MESSAGES
        for name in (*files, *(it for it in names if os.path.islink(os.path.join(directory, it)))):
            one = Path(directory, name)
            if message and _linked(one, there / name):
                continue
            copy_one(one, there / name)


def copy_one(source: Path, target: Path) -> None:
    """A file or a symbolic link, with owner, mode and time."""
    shutil.copy2(source, target, follow_symlinks=False)
    owner = source.lstat()
    os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def _like(facts: os.stat_result, target: Path) -> None:
    os.chown(target, facts.st_uid, facts.st_gid)
    os.chmod(target, facts.st_mode & 0o7777)
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _size(path: str | Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
