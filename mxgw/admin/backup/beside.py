"""One user's mail of a backup, put into a folder of the mailbox in service, of which nothing else changes.

A Dovecot of its own reads the backup; the one in service takes the messages, so that its quota counts them.
What is in the folder already does not come again.
"""

from __future__ import annotations

import imaplib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from mxgw.admin.backup import trial
from mxgw.admin.backup.disk import Disk
from mxgw.admin.backup.maildir import home_of
from mxgw.admin.backup.make import check_backup
from mxgw.admin.forms import shown, typed
from mxgw.admin.importing.copying import Came, Planned, copy, plan
from mxgw.admin.importing.names import encoded
from mxgw.admin.importing.sessions import (
    HOME_SILENCE_SECONDS,
    Home,
    HomeHangsError,
    Mailbox,
    OverPipe,
    end,
    hangs,
    known_here,
    open_home,
)
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

MAX_FOLDER = 100
"""Characters of the folder's name: those of the backup stand behind it, and Linux takes 255 octets."""

_SAYINGS = {
    "import-full": "restore-into-full",
    "import-broke-off": "restore-into-broke-off",
    "import-no-user": "restore-user-is-gone",
}


def folder_name(text: str) -> str:
    """As users see it, levels with "/" between; raises Refused."""
    name = typed(text)
    if (
        len(name) > MAX_FOLDER
        or not name.isprintable()
        # That is where today's mail is (RFC 9051 section 5.1: in any case).
        or name.partition("/")[0].upper() == "INBOX"
        or not all(level.strip() for level in name.split("/"))
    ):
        raise Refused("restore-bad-folder", text=shown(text))
    return name


def put_beside(
    stack: Stack, disk: Disk, backup: Path, address: str, folder: str, passed: Callable[[int], None]
) -> Came:
    """Every message of the user that is not in the folder yet. ``passed`` hears of messages that are done.
    Call it under the disk's lock. Raises Refused; to do it again goes on."""
    try:
        known_here(stack, address)
        check_backup(backup, [home_of(address)], lambda _: None)
        with _old(stack, disk, backup, address) as old, closing(open_home(stack, address)) as home:
            planned = [
                replace(one, folder=replace(one.folder, target=f"{folder}/{one.folder.name}"))
                for one in plan(old, _NOTHING)
            ]
            _only_ours(old, home, planned)
            return copy(old, home, planned, _NOTHING, address=address, passed=passed)
    except Refused as why:
        raise Refused(_SAYINGS.get(why.key, why.key), failure=why.failure, **why.facts) from None


@contextmanager
def _old(stack: Stack, disk: Disk, backup: Path, address: str) -> Iterator[Mailbox]:
    scratch = disk.directory / f".trial-{backup.name}-beside"
    try:
        trial.lay(backup, scratch, [home_of(address)])
        with tempfile.TemporaryFile() as said:
            process = trial.open_session(stack, scratch, address, stderr=said)
            try:
                yield Mailbox(OverPipe(process, silence=HOME_SILENCE_SECONDS))
            except HomeHangsError as error:
                raise hangs(address, error.seconds, copied=0) from None
            except (OSError, imaplib.IMAP4.error):
                said.seek(0)
                why = said.read()[-300:].decode(errors="replace").strip() or "?"
                raise Refused("backup-trial-failed", failure=True, why=shown(why)) from None
            finally:
                end(process)
    except OSError as error:
        raise Refused("backup-disk-fails", failure=True, why=shown(str(error))) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _only_ours(old: Mailbox, home: Home, planned: Sequence[Planned]) -> None:
    """Folders of the same name that hold other mail are somebody's, and not touched."""
    for one in planned:
        _, uids = home.open(encoded(one.folder.target))
        if not uids:
            continue
        here = {header.print for header in home.headers(uids)}
        home.session.close()
        old.open(one.folder.wire)
        if not here <= {header.print for header in old.headers(one.new)}:
            raise Refused("restore-into-used", folder=one.folder.target)


class _Nothing:
    """A memory that holds nothing: what was deleted by mistake is to come again."""

    def __contains__(self, message: tuple[str, int, int]) -> bool:
        return False

    def add(self, message: tuple[str, int, int], found: str) -> None:
        pass

    def prints(self, *, but: str) -> set[str]:
        return set()


_NOTHING = _Nothing()
