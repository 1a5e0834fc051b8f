"""Lists of SHA-256 in the form of sha256sum, so that ``sha256sum --check`` reads them, too."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from mxgw.admin.refusal import Refused


def sha256_of(path: Path) -> str:
    """Of a file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(path: Path, sums: Mapping[str, str]) -> None:
    """``sums``: digest by path below the backup's directory."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", errors="surrogateescape") as file:
        for name in sorted(sums):
            escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
            mark = "\\" if escaped != name else ""
            file.write(f"{mark}{sums[name]}  {escaped}\n")


def read_sums(path: Path) -> dict[str, str]:
    """What ``write_sums`` wrote; raises Refused where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        raise Refused("backup-damaged", failure=True, path=str(path)) from None
    found = {}
    for line in text.split("\n"):
        escaped = line.startswith("\\")
        digest, _, name = line.removeprefix("\\").partition("  ")
        if name:
            found[_unescaped(name) if escaped else name] = digest
    return found


def check_sums(top: Path, sums: Mapping[str, str], passed: Callable[[int], None]) -> None:
    """Every file is there and is what it was; raises Refused with the first that is not.

    ``passed`` hears how many octets were read.
    """
    for name, digest in sums.items():
        path = top / name
        try:
            if sha256_of(path) != digest:
                raise Refused("backup-damaged", failure=True, path=str(path))
            passed(path.stat().st_size)
        except OSError:
            raise Refused("backup-damaged", failure=True, path=str(path)) from None


def check_file(top: Path, sums: Path, name: str) -> None:
    """One file of a list; raises Refused."""
    check_sums(top, {name: read_sums(sums).get(name, "")}, lambda _: None)


def _unescaped(name: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in name.split("\\\\"))
