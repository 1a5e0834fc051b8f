"""``python -m bench.restore``: a household's mail is backed up, lost, and brought back, by the clock."""

from __future__ import annotations

import contextlib
import imaplib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bench.document import show_table
from bench.drawing import Bar, draw_bars
from bench.processes import BenchError
from bench.report import machine
from bench.restore_page import (
    AGAIN,
    BACKUP,
    CP,
    MEGABYTE,
    RESTORE,
    RSYNC,
    VERIFY,
    Phase,
    Timed,
    page,
    sentences,
    table,
)
from mxgw.load.messages import Letters, Sizes, header_fields, make_bodies, parse_sizes
from tests.admin.admin_house import Told
from tests.backup.backup_house import BackupHouse
from tests.dell.cells import VOLUME_OWNERS
from tests.dell.household import DOMAIN
from tests.rig.process import find_program

REPORT = Path("docs/restore-time.md")
FOLDERS = ("", ".Archive", ".Sent", ".Trash")
FLAGS = ("", "S", "RS", "S", "FS")
SEED = 20261124
ROOM_FACTOR, ROOM_MEGABYTES = 1.2, 1500
"""The backup's file system: the mail, what ext4 needs itself, and what a backup wants left free."""

TRY_SECONDS = 0.2
NAME_SECONDS = 1.1
FACTS = ("measured", "commit", "machine", "system")
"""Of the machine; the versions of relays are no matter here."""

Tell = Callable[[str], None]


def write_mail(house: BackupHouse, name: str, octets: int, sizes: Sizes) -> tuple[int, int]:
    """A mailbox as Dovecot has it, at least so large; its messages and octets."""
    dice = random.Random(f"{SEED}{name}")
    fields = header_fields("someone@example.org", f"{name}@{DOMAIN}", utf8=True, now=1_700_000_000)
    bodies = make_bodies(sizes, fields, dot_stuffed=False, seed=SEED)
    letters = Letters(bodies, prefix=name, recipients=[f"{name}@{DOMAIN}"], recipients_each=1, dice=dice)
    top = house.home_of(name) / "Maildir"
    for folder in FOLDERS:
        for part in ("new", "cur", "tmp"):
            (top / folder / part).mkdir(parents=True)
    messages = written = 0
    while written < octets:
        letter = letters.letter(messages)
        size = sum(len(piece) for piece in letter.pieces)
        place = top / FOLDERS[messages % len(FOLDERS)] / "cur"
        flags = FLAGS[messages % len(FLAGS)]
        file = place / f"{1_700_000_000 + messages}.M{messages}P1.bench,S={size},W={size}:2,{flags}"
        with file.open("wb") as opened:
            opened.writelines(letter.pieces)
        messages += 1
        written += size
    user, group = VOLUME_OWNERS["mail"]
    for path in (house.home_of(name).parent, house.home_of(name), *house.home_of(name).rglob("*")):
        os.chown(path, user, group)
    return messages, written


def measure(house: BackupHouse, users: int, megabytes: int, sizes: Sizes, tell: Tell) -> Timed:
    """The whole run in a house that is running and empty. Raises BenchError where a step fails."""
    names = [f"user{number}" for number in range(users)]
    house.add(*names)
    messages = octets = 0
    for name in names:
        made = write_mail(house, name, megabytes * MEGABYTE, sizes)
        messages, octets = messages + made[0], octets + made[1]
        tell(f"{name}: {made[0]:,} messages, {made[1] / MEGABYTE:,.0f} MB")
    mail = house.host.data / "mail"
    phases = []

    def timed(phase: str, tree: Path, act: Callable[[], object]) -> None:
        forget(tree)
        began = time.perf_counter()
        act()
        phases.append(Phase(phase, time.perf_counter() - began))
        tell(f"{phase}: {phases[-1].seconds:.1f} s")

    timed(BACKUP, mail, lambda: _done(house.admin("backup", "now", "--no-verify")))
    # The second of its beginning is a backup's name.
    time.sleep(NAME_SECONDS)
    timed(AGAIN, mail, lambda: _done(house.admin("backup", "now", "--no-verify")))
    backup = house.backups()[0]
    timed(VERIFY, backup / "mail", lambda: _done(house.admin("backup", "verify")))
    _destroy(house)
    for phase, program in ((CP, ("cp", "coreutils")), (RSYNC, ("rsync", "rsync"))):
        command = [
            find_program(program[0], package=program[1]),
            "-a",
            f"{backup / 'mail' / DOMAIN}",
            str(mail),
        ]
        timed(phase, backup / "mail", lambda command=command: subprocess.run(command, check=True))  # type: ignore[misc]
        shutil.rmtree(mail / DOMAIN)
    logged_in: list[float] = []
    stop = threading.Event()
    told: list[Told] = []
    forget(backup / "mail")
    began = time.perf_counter()
    watcher = threading.Thread(target=_wait_for_login, args=(house, names[0], stop, logged_in))
    watcher.start()
    try:
        timed(RESTORE, backup / "mail", lambda: told.append(_done(house.admin("restore", "--yes"))))
        watcher.join(60)
    finally:
        stop.set()
        watcher.join()
    if not logged_in:
        raise BenchError("nobody could log in after the restore")
    whole = told[0].facts["messages"] == messages
    words = "like real mail" if sizes.words == "real" else sizes.words
    return Timed(users, messages, octets, words, tuple(phases), logged_in[0] - began, whole)


def forget(tree: Path) -> None:
    """The tree's files are on the disk, and no longer in memory."""
    os.sync()
    for directory, _, files in os.walk(tree):
        for name in files:
            with contextlib.suppress(OSError):
                descriptor = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_NOFOLLOW)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)


def _destroy(house: BackupHouse) -> None:
    shutil.rmtree(house.host.data / "mail" / DOMAIN)
    house.sql("DELETE FROM users")
    # It remembers who there was.
    house.host.cells["dovecot"].child.stop()


def _wait_for_login(house: BackupHouse, name: str, stop: threading.Event, found: list[float]) -> None:
    while not stop.wait(TRY_SECONDS):
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            house.imap(name).logout()
            found.append(time.perf_counter())
            return


def _done(told: Told) -> Told:
    if told.code:
        raise BenchError(told.err)
    return told


@contextlib.contextmanager
def _disk(directory: Path, megabytes: int) -> Iterator[Path]:
    """An ext4 of its own in a file, as an external disk is; gone afterwards."""
    image, place = directory / "disk.img", directory / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * MEGABYTE)
    try:
        for program, package, arguments in (
            ("mkfs.ext4", "e2fsprogs", ["-q", "-m", "0", "-N", "400000", str(image)]),
            ("mount", "mount", ["-o", "loop", str(image), str(place)]),
        ):
            subprocess.run([find_program(program, package=package), *arguments], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", str(place)], check=False)
    finally:
        image.unlink()


@click.command()
@click.option("--users", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--megabytes", type=click.IntRange(1), default=2000, show_default=True, help="Mail of each user."
)
@click.option("--sizes", default="real", show_default=True, help="Sizes of messages, as of mxgw load.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure here.")
@click.option("--report", type=click.Path(path_type=Path), help=f"Write the page here (as {REPORT}).")
def main(*, users: int, megabytes: int, sizes: str, json_file: Path | None, report: Path | None) -> None:
    """Time backup and restore of a household beside cp and rsync. Needs root, and room for the mail three
    times in TMPDIR."""
    started = time.perf_counter()

    def tell(words: str) -> None:
        click.echo(f"{time.perf_counter() - started:4.0f} s  {words}", err=True)

    wanted = users * megabytes
    free = shutil.disk_usage(tempfile.gettempdir()).free // MEGABYTE
    if free < 3 * wanted + 2 * ROOM_MEGABYTES:
        raise BenchError(
            f"{tempfile.gettempdir()} has {free:,} MB free; three times {wanted:,} MB are needed"
        )
    load_before = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="mxgw-bench-") as directory,
        _disk(Path(directory), round(wanted * ROOM_FACTOR) + ROOM_MEGABYTES) as disk,
        BackupHouse(disk) as house,
    ):
        timed = measure(house, users, megabytes, parse_sizes(sizes), tell)
    facts = [(name, words) for name, words in machine() if name in FACTS]
    facts.append(("load average before and after", f"{load_before:.1f}, {os.getloadavg()[0]:.1f}"))
    _show(timed)
    if json_file is not None:
        json_file.write_text(json.dumps({"machine": dict(facts), **timed.as_json()}, indent=1) + "\n")
    if report is not None:
        bars = [Bar(one.name, one.seconds, one.seconds, one.seconds) for one in timed.phases]
        picture = draw_bars(report.with_suffix(""), "seconds", "seconds", bars)
        command = f"python -m bench.restore --users {users} --megabytes {megabytes} --report {report}"
        lines = page(timed, command=command, machine=facts, picture=picture)
        report.write_text("\n".join(lines))


def _show(timed: Timed) -> None:
    from rich.console import Console

    console = Console()
    show_table(console, table(timed))
    for sentence in sentences(timed):
        console.print(sentence, highlight=False, markup=False)


if __name__ == "__main__":
    # A bench that is told to end still ends the programs that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except BenchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
