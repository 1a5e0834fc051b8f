"""The memory of the watch as a file: whole or not at all, and elsewhere where its disk cannot be written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from mxgw.watch.finding import Finding, Severity
from mxgw.watch.memory import Known, Memory, Notice, Occasion
from mxgw.watch.site import Site

NAME: Final = "watch.json"


class MemoryFile:
    """Where it belongs (``path``), and where it is kept while that disk is full or broken: whoever tells of
    that has to know what it has told."""

    def __init__(self, site: Site) -> None:
        self.path = site.state / NAME
        self._spare = site.run / NAME

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Two rounds at once would tell everything twice. Raises OSError where there is no place for it."""
        try:
            lock = _opened(self.path.with_suffix(".lock"))
        except OSError:
            lock = _opened(self._spare.with_suffix(".lock"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def load(self) -> Memory:
        """What was saved last; an empty memory where there is none that can be read: all is told anew."""
        return max((_read(self.path), _read(self._spare)), key=lambda one: (bool(one.unwritable), one.at))

    def save(self, memory: Memory) -> None:
        """In one step: a machine that loses its power keeps the old one or the new one. Raises OSError where
        there is no place at all."""
        try:
            _write(self.path, replace(memory, unwritable=""))
        except OSError as error:
            _write(self._spare, replace(memory, unwritable=error.strerror or type(error).__name__))
        else:
            self._spare.unlink(missing_ok=True)


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # For reading: one that is there may be opened on a disk that takes no more.
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _read(path: Path) -> Memory:
    try:
        return _parsed(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def _write(path: Path, memory: Memory) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    with temporary.open("w") as file:
        file.write(json.dumps(asdict(memory), ensure_ascii=False))
        file.flush()
        # Else its name may be on the disk before its content (XFS).
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _parsed(saved: Any) -> Memory:
    return Memory(
        known={
            str(name): Known(
                Severity(one["told"]), float(one["since"]), float(one["told_at"]), Severity(one["seen"]),
                int(one["streak"]),
            )
            for name, one in saved["known"].items()
        },
        findings=tuple(_finding(one) for one in saved["findings"]),
        pending=tuple(
            Notice(Occasion(one["occasion"]), _finding(one["finding"]), float(one["at"]), float(one["since"]),
                   tuple(map(str, one["to"])))
            for one in saved["pending"]
        ),
        failed={str(name): str(why) for name, why in saved["failed"].items()},
        samples=tuple((float(at), str(name), float(number)) for at, name, number in saved["samples"]),
        at=float(saved["at"]),
        awake_since=float(saved.get("awake_since", 0.0)),
        unwritable=str(saved.get("unwritable", "")),
    )  # fmt: skip


def _finding(saved: Any) -> Finding:
    return Finding(
        str(saved["id"]), Severity(saved["severity"]), str(saved["key"]), str(saved["mend"]),
        dict(saved["facts"]), tuple(map(str, saved["evidence"])),
    )  # fmt: skip
