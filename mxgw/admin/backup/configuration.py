"""The settings of a site in a backup: what differs from those here, and what they become..

A backup's archive is not believed: it has few small files with names that are known, or it is refused.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mxgw.admin.env_file import read_env_file, variables
from mxgw.admin.refusal import Refused

FILE = "configuration.tar"
MAX_ARCHIVE_OCTETS = 32 * 1024**2
MAX_FILE_OCTETS = 1024**2
"""The largest, .env, has some kilobytes."""

MAX_FILES = 200

ENV = "env"
OF_THE_MACHINE = ("TAILSCALE_IP", "MAIL_HOSTNAME", "MAILSERVER_DATA", "BACKUP_DIRECTORY")
"""What says where this machine is and where its disks are: never taken from another one."""

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


@dataclass(frozen=True, slots=True)
class Places:
    """Where settings are."""

    stack: Path
    data: Path

    @property
    def edge(self) -> Path:
        """The edge's settings, beside the stack in the checkout."""
        return self.stack.parent / "ecs"

    def of(self, name: str, env: Mapping[str, str]) -> Path | None:
        """Where a file of the archive belongs; None for one that is kept to look at."""
        directory, _, file = name.rpartition("/")
        match directory:
            case "" if name == ENV:
                return self.stack / ".env"
            case "" if name == "compose.override.yaml":
                return self.stack / name
            case "" if name == "canary.key":
                key = Path(env.get("CANARY_DKIM_KEY", ""))
                # The archive itself says where: no program may come to lie where it would be run.
                return key if key.is_absolute() and key.suffix in {".pem", ".key"} else None
            case "ecs" if self.edge.is_dir():
                return self.edge / file
            case "tls":
                return self.data / "tls" / file
            case _:
                # compose.yaml belongs to the version of the program that is here.
                return None


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is to be another: ``names`` are the variables of .env that differ, never their values."""

    path: Path
    content: bytes
    there: bool
    names: tuple[str, ...] = ()


def sources(places: Places, env: Mapping[str, str]) -> dict[str, Path]:
    """What goes into the archive, by its name there."""
    found = {ENV: places.stack / ".env", "canary.key": Path(env.get("CANARY_DKIM_KEY", ""))}
    found |= {name: places.stack / name for name in ("compose.yaml", "compose.override.yaml")}
    for directory, patterns in (
        (places.edge, ("deploy.toml", "*.pem", "*.txt")),
        (places.data / "tls", ("*",)),
    ):
        for pattern in patterns:
            found |= {f"{directory.name}/{path.name}": path for path in sorted(directory.glob(pattern))}
    return {name: path for name, path in found.items() if path.is_file() and _is_known(name)}


def pack(target: Path, places: Places) -> None:
    """Secrets and certificates: readable by root alone. Raises OSError."""
    env_file = places.stack / ".env"
    env = read_env_file(env_file) if env_file.exists() else {}
    with (
        os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode="w") as archive,
    ):
        for name, path in sources(places, env).items():
            archive.add(path.resolve(), name)


def read_archive(path: Path) -> dict[str, bytes]:
    """Its files by name. Nothing is unpacked on the disk. Raises Refused, also for an archive that holds
    anything else: links, devices, other paths."""
    found: dict[str, bytes] = {}
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_ARCHIVE_OCTETS + 1)
        if len(octets) > MAX_ARCHIVE_OCTETS:
            raise _unsafe(path, f"> {MAX_ARCHIVE_OCTETS}")
        with tarfile.open(fileobj=io.BytesIO(octets), mode="r:") as archive:
            for member in archive:
                if member.type == tarfile.DIRTYPE and member.name == "tls":
                    continue
                if (
                    member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}
                    or not _is_known(member.name)
                    or member.size > MAX_FILE_OCTETS
                    or member.name in found
                    or len(found) == MAX_FILES
                ):
                    raise _unsafe(path, member.name)
                content = archive.extractfile(member)
                found[member.name] = content.read() if content else b""
    except (OSError, tarfile.TarError, ValueError):
        raise Refused("backup-damaged", failure=True, path=str(path)) from None
    return found


def env_of(archive: Mapping[str, bytes]) -> dict[str, str]:
    """The variables of the .env in an archive."""
    return variables(_text(archive.get(ENV, b"")))


def changes(archive: Mapping[str, bytes], places: Places) -> list[Change]:
    """What differs here. A certificate that is here stays: the one in the backup is older."""
    env_file = places.stack / ".env"
    env = _text(archive.get(ENV, b""))
    found = []
    for name, content in sorted(archive.items()):
        path = places.of(name, env_of(archive))
        if path is None:
            continue
        there = path.is_file()
        if name == ENV:
            here = _text(env_file.read_bytes()) if there else None
            merged = merged_env(here, env)
            names = differing(here or "", merged)
            if names or not there:
                found.append(Change(path, merged.encode(errors="surrogateescape"), there, names))
        elif there and path.parent == places.data / "tls":
            continue
        elif not there or path.read_bytes() != content:
            found.append(Change(path, content, there))
    return found


def merged_env(here: str | None, backup: str) -> str:
    """The backup's .env, with what belongs to this machine, and what only it has (a newer version's)."""
    if here is None:
        return backup
    own = _lines(here)
    lines, taken = [], set()
    for line in backup.splitlines():
        name = _name(line)
        if name in OF_THE_MACHINE:
            if name in own and name not in taken:
                lines.append(own[name])
        else:
            lines.append(line)
        taken.add(name)
    lines += [line for name, line in own.items() if name not in taken]
    return "\n".join(lines) + "\n"


def differing(here: str, there: str) -> tuple[str, ...]:
    """Names of the variables that have other values."""
    one, other = variables(here), variables(there)
    return tuple(sorted(name for name in {*one, *other} if one.get(name, "") != other.get(name, "")))


def _lines(text: str) -> dict[str, str]:
    """Each assignment as it stands, by its name; the last one counts."""
    return {name: line for line in text.splitlines() if (name := _name(line))}


def _name(line: str) -> str:
    found = _ASSIGNMENT.match(line.strip())
    return found[1] if found else ""


def _is_known(name: str) -> bool:
    if name in {ENV, "compose.yaml", "compose.override.yaml", "canary.key"}:
        return True
    path = PurePosixPath(name)
    # "tls/../../etc/passwd" has more parts; "tls/.." and hidden files have another beginning.
    return (
        str(path) == name
        and len(path.parts) == 2
        and path.parts[0] in {"tls", "ecs"}
        and not path.parts[1].startswith(".")
    )


def _text(octets: bytes) -> str:
    return octets.decode(errors="surrogateescape")


def _unsafe(path: Path, what: str) -> Refused:
    return Refused("backup-configuration-unsafe", failure=True, path=str(path), what=what[:200])
