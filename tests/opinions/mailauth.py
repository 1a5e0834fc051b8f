"""mailauth as a child process that is asked in batches; see oracle.mjs for what it is asked."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from tests.msgauth.spf_worlds import World
from tests.opinions.node_cache import installed
from tests.rig.zone import Zone

Question = Mapping[str, Any]
Answer = Mapping[str, Any]

BATCH_SECONDS = 60
"""A batch takes one or two. Whoever hangs is ended, and the test fails."""


class Mailauth:
    """``with Mailauth() as mailauth``: ``ask`` begins at once, so that we can form our opinion meanwhile."""

    def __enter__(self) -> Self:
        folder, node = installed()
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_name("oracle.mjs")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        # One writes while the other reads: a pipe holds less than a batch.
        self._threads = ThreadPoolExecutor(2)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._threads.shutdown()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                # What it did not read before it was ended.
                continue

    def end(self) -> None:
        """No more answers come."""
        self._process.kill()
        self._process.wait()

    def ask(self, questions: Sequence[Question]) -> Pending:
        """One batch at a time: take the answers before the next."""
        self._threads.submit(self._write, questions)
        return Pending(self, self._threads.submit(self._read, len(questions)))

    def _write(self, questions: Sequence[Question]) -> None:
        assert self._process.stdin is not None
        for question in questions:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self, count: int) -> list[Answer]:
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(count)]
        return [json.loads(line) for line in lines if line]

    def give_up(self, why: str) -> None:
        """End it; AssertionError with what it said last."""
        self.end()
        self._errors.seek(0)
        raise AssertionError(f"mailauth {why}: {self._errors.read()[-2000:].decode(errors='replace')}")


class Pending:
    """The answers to one batch, in the order of the questions."""

    def __init__(self, mailauth: Mailauth, lines: Future[list[Answer]]) -> None:
        self._mailauth = mailauth
        self._lines = lines

    def answers(self, count: int) -> list[Answer]:
        """Exactly ``count``; AssertionError where mailauth hung or ended."""
        try:
            found = self._lines.result(timeout=BATCH_SECONDS)
        except TimeoutError:
            self._mailauth.give_up(f"has not answered within {BATCH_SECONDS} s")
            raise
        if len(found) != count:
            self._mailauth.give_up("ended")
        return found


def spf_question(world: World, **options: Any) -> Question:
    """What to ask about a sender; ``maxVoids`` changes a limit."""
    return {
        "check": "spf",
        "zone": zone_value(world.zone),
        "address": str(world.address),
        "helo": world.helo,
        "mailFrom": world.mail_from,
        **options,
    }


def message_question(message: bytes, zone: Zone, now: datetime) -> Question:
    """What to ask about the signatures and the chain of a message."""
    return {
        "check": "message",
        "zone": zone_value(zone),
        "octets": base64.b64encode(message).decode(),
        "now": int(now.timestamp() * 1000),
    }


def author_question(message: bytes) -> Question:
    """Whom From names."""
    return {"check": "author", "octets": base64.b64encode(message).decode()}


def dmarc_question(zone: Zone, author: str, spf: Sequence[str], dkim: Sequence[str]) -> Question:
    """What DMARC makes of it that SPF and DKIM passed for these domains."""
    return {
        "check": "dmarc",
        "zone": zone_value(zone),
        "author": author,
        "spfDomains": list(spf),
        "dkimDomains": list(dkim),
    }


def zone_value(zone: Zone) -> dict[str, Any]:
    """The zone as JSON takes it; an octet of a text is the character of that number, as Node has it."""
    names = {
        name: {kind: [_plain(record) for record in records] for kind, records in kinds.items()}
        for name, kinds in zone._names.items()
    }
    return {"names": names, "failing": sorted(zone.failing)}


def _plain(record: Any) -> Any:
    if isinstance(record, bytes):
        return record.decode("latin-1")
    if isinstance(record, str):
        return record if record.isascii() else record.encode().decode("latin-1")
    return [_plain(part) for part in record] if isinstance(record, list | tuple) else record
