"""What Rspamd has learnt, which is all that Redis holds: its snapshot, and a directory made of one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Answer, Stack

SERVICE = "redis"
FILE = "redis.rdb"

SECONDS = 120.0
"""256 MB, which is all that redis.conf allows, are written in seconds; a disk in trouble is slow."""

LOOK_SECONDS = 0.5

# What redis.conf says of its directory, and Redis 7 of its log (appendonlydir).
_SNAPSHOT = "dump.rdb"
_LOG = "appendonlydir"
_BASE = "appendonly.aof.1.base.rdb"
_MANIFEST = "appendonly.aof.manifest"
_MANIFEST_TEXT = f"file {_BASE} seq 1 type b\n"


def is_there(stack: Stack) -> bool:
    """Whether there is a Redis at all."""
    return SERVICE in stack.states()


def save(stack: Stack, data: Path, target: Path) -> None:
    """Redis' content of one moment. Raises Refused.

    SAVE, not BGSAVE: its answer says that the file is whole. Redis answers nobody else meanwhile: some
    milliseconds for what a household has taught.
    """
    end = time.monotonic() + SECONDS
    while (answer := _ask(stack, "redis-cli", "SAVE")).output.strip() != b"OK":
        # One that Redis itself began is waited for.
        if b"in progress" not in answer.output or time.monotonic() > end:
            raise _failed(answer)
        time.sleep(LOOK_SECONDS)
    answer = _ask(stack, "redis-check-rdb", f"/data/{_SNAPSHOT}")
    if answer.code:
        raise _failed(answer)
    with (
        (data / SERVICE / _SNAPSHOT).open("rb") as source,
        os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file,
    ):
        shutil.copyfileobj(source, file)


def lay_out(snapshot: Path, directory: Path, *, owner: os.stat_result) -> None:
    """A directory of Redis that has the snapshot's content. With a log of changes (``appendonly yes``) Redis
    reads that and no snapshot, so the snapshot becomes the log's beginning."""
    log = directory / _LOG
    for made in (directory, log):
        made.mkdir(mode=0o700)
    shutil.copyfile(snapshot, log / _BASE)
    (log / _MANIFEST).write_text(_MANIFEST_TEXT)
    for path in (directory, log, *log.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o700 if path.is_dir() else 0o600)


def _ask(stack: Stack, *command: str) -> Answer:
    return stack.run(SERVICE, command, timeout=SECONDS)


def _failed(answer: Answer) -> Refused:
    why = answer.errors.strip() or answer.output.decode(errors="replace").strip() or "?"
    return Refused("backup-learnt-failed", failure=True, why=shown(why[-300:]))
