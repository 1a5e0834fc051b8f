"""What a timed restore means: rates, ratios, how much fits into the time that there is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.document import Table, figure, table_lines

LIMIT_HOURS = 4.0
"""Within it everything must be back."""

BACKUP, AGAIN, VERIFY, RESTORE = "backup", "second backup", "restore on trial", "restore"
CP, RSYNC = "cp -a", "rsync -a"
MEGABYTE = 1_000_000
SLOW_MEGABYTES = 30
"""A second: what USB 2 carries."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One thing that was done with the whole of the mail."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Timed:
    """A whole run. ``first_login``: seconds from the start of the restore until a user could log in."""

    users: int
    messages: int
    octets: int
    sizes: str
    phases: tuple[Phase, ...]
    first_login: float
    whole: bool
    """Every message was there afterwards."""

    def seconds(self, name: str) -> float:
        """Of a phase that was measured; else KeyError."""
        return {phase.name: phase.seconds for phase in self.phases}[name]

    def fits(self, hours: float = LIMIT_HOURS) -> float:
        """Gigabytes that are back within so many hours, if all takes longer in proportion, even starting and
        stopping."""
        return hours * 3600 / self.seconds(RESTORE) * self.octets / 1000 / MEGABYTE

    def fits_slowly(self, hours: float = LIMIT_HOURS) -> float:
        """The same where the plain copy has but SLOW_MEGABYTES a second."""
        return hours * 3600 * SLOW_MEGABYTES / 1000 * self.seconds(CP) / self.seconds(RESTORE)

    def as_json(self) -> dict[str, object]:
        """Every figure."""
        return {**asdict(self), "gigabytes_in_limit": self.fits(), "limit_hours": LIMIT_HOURS}


def rows(timed: Timed) -> list[tuple[str, ...]]:
    """Each phase: seconds, MB/s, messages/s, times the plain copy."""
    copy = timed.seconds(CP)
    return [
        (
            phase.name,
            figure(phase.seconds),
            figure(timed.octets / MEGABYTE / phase.seconds),
            figure(timed.messages / phase.seconds),
            figure(phase.seconds / copy),
        )
        for phase in timed.phases
    ]


def table(timed: Timed) -> Table:
    """The phases side by side."""
    headings = ("", "s", "MB/s", "messages/s", f"times `{CP}`")
    return Table("", headings, rows(timed))


def sentences(timed: Timed) -> list[str]:
    """What it comes to, for the page and the terminal."""
    seconds = timed.seconds(RESTORE)
    share = 100 * seconds / (LIMIT_HOURS * 3600)
    return [
        (
            f"After the restore began the first user could log in after {figure(timed.first_login)} s; after"
            f" {figure(seconds)} s everything was back and had been read by Dovecot:"
            f" {figure(share)} % of the {LIMIT_HOURS:g} hours."
        ),
        (
            f"At this speed {figure(timed.fits())} GB are back within {LIMIT_HOURS:g} hours. A disk decides:"
            f" with one that copies {SLOW_MEGABYTES} MB/s, as an old one by USB does, and the same ratio to"
            f" `{CP}`, it"
            f" would be {figure(timed.fits_slowly())} GB."
        ),
    ]


def page(timed: Timed, *, command: str, machine: Sequence[tuple[str, str]], picture: str) -> list[str]:
    """Lines of Markdown."""
    state = "All of it was there afterwards." if timed.whole else "**NOT all of it was there afterwards.**"
    return [
        "# How long a restore takes",
        "",
        f"Written by `{command}`; no figure is typed by hand. Run it on your machine: its disks decide.",
        "",
        *table_lines(Table("", ("", ""), machine, words=True)),
        "",
        (
            f"{timed.users} mailboxes with {timed.messages:,} messages, {timed.octets / MEGABYTE:,.0f} MB, in"
            f" real MariaDB, Dovecot and Redis; sizes: {timed.sizes}; the backup on a file system of its own."
            f" Then mail, users and Dovecot were gone, and `mxgw admin restore` brought all back. {state}"
        ),
        "",
        *table_lines(table(timed)),
        "",
        *([f"![seconds]({picture})", ""] if picture else []),
        *sentences(timed),
        "",
        (
            "Before each step the mail was out of the machine's memory. The second backup links what the"
            f" first has. `{CP}` and `{RSYNC}` copy the same tree from one disk to the other, without"
            " checksums, without a proof, and without a user who can log in. Rspamd and ClamAV, which take"
            " minutes to start on a new machine and hold mail back meanwhile with 4xx, were not started."
        ),
        "",
    ]
