"""What the last look at the certificates came to, for whoever watches: /var/lib/mxgw/certificate.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mxgw.admin.cloud.certificates import Pair, checked
from mxgw.admin.cloud.private_file import write_file
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

FILE = "certificate.json"
WAITING_FILE = "edge-certificate.json"
MAX_FILE_OCTETS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """One certificate: when it ends, what went wrong ("" for nothing), services that have not taken it up."""

    not_after: datetime | None = None
    why: str = ""
    reload: tuple[str, ...] = ()


def write_state(directory: Path, standings: dict[str, Standing]) -> None:
    """By name: "host", "edge". Raises Refused."""
    told = {
        name: {
            "not_after": it.not_after.astimezone(UTC).isoformat() if it.not_after else "",
            "why": it.why,
            "reload": list(it.reload),
        }
        for name, it in standings.items()
    }
    make_state_directory(directory)
    try:
        write_file(directory / FILE, json.dumps(told, ensure_ascii=False, indent=2) + "\n", mode=0o644)
    except OSError as error:
        raise Refused("state-unwritable", failure=True, why=shown(str(error))) from None


def make_state_directory(directory: Path) -> None:
    """Where it is not there yet. Raises Refused."""
    try:
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused("state-unwritable", failure=True, why=shown(str(error))) from None


def waiting_reloads(directory: Path) -> tuple[str, ...]:
    """Services that did not take up the host's certificate the last time."""
    try:
        with (directory / FILE).open("rb") as file:
            told = json.loads(file.read(MAX_FILE_OCTETS))
    except (OSError, ValueError):
        return ()
    match told:
        case {"host": {"reload": [*names]}}:
            return tuple(str(name) for name in names)
        case _:
            return ()


class WaitingPair:
    """A certificate that was had and could not be handed over yet. It is kept, since an authority gives out
    only a few for one name in a week. Raises Refused."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / WAITING_FILE

    def get(self, name: str, now: datetime) -> Pair | None:
        """The one that waits, where it is still worth something."""
        try:
            with self._file.open("rb") as file:
                told = json.loads(file.read(MAX_FILE_OCTETS))
            pair = Pair(str(told["certificate"]), str(told["key"]))
            return None if checked(pair, name, now).due(now) else pair
        except (OSError, ValueError, KeyError, TypeError, Refused):
            return None

    def keep(self, pair: Pair) -> None:
        """Until it is handed over."""
        text = json.dumps({"certificate": pair.certificate, "key": pair.key})
        try:
            write_file(self._file, text, mode=0o600)
        except OSError as error:
            raise Refused("state-unwritable", failure=True, why=shown(str(error))) from None

    def clear(self) -> None:
        """It is handed over."""
        self._file.unlink(missing_ok=True)
