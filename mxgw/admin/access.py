"""Where the database and Dovecot are: settings of ``mxgw admin``, all from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

DATABASE = "MXGW_ADMIN_DB"
DATABASE_PASSWORD = "MXGW_ADMIN_DB_PASSWORD"  # noqa: S105 - a name
DOVEADM = "MXGW_ADMIN_DOVEADM"
DOVEADM_KEY = "MXGW_ADMIN_DOVEADM_KEY"
MAIL_EXCHANGER = "MXGW_ADMIN_MX"
MAIL_EXCHANGER_ADDRESSES = "MXGW_ADMIN_MX_ADDRESSES"

DATABASE_PORT = 3306
DOVEADM_PORT = 8080

MAX_SECRET_OCTETS = 4096
"""A file that is longer holds something else."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """An account at a MariaDB; ``socket`` is the path of a Unix socket, or ""."""

    host: str
    port: int
    user: str
    database: str
    socket: str = ""
    password: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """Where it is, for a sentence."""
        return self.socket or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DoveadmAccess:
    """Dovecot's HTTP interface for its administrator."""

    host: str
    port: int
    key: str = field(repr=False)

    @property
    def place(self) -> str:
        """Where it is, for a sentence."""
        return f"{self.host}:{self.port}"


def database_access(environ: Mapping[str, str]) -> DatabaseAccess:
    """From MXGW_ADMIN_DB, ``mysql://user@host[:port]/database[?socket=/path]``, and its password."""
    text = environ.get(DATABASE, "").strip()
    if not text:
        raise Refused("no-database-setting", variable=DATABASE)
    try:
        url = urlsplit(text)
        port = url.port or DATABASE_PORT
        host, user, given = url.hostname or "", unquote(url.username or ""), url.password
    except ValueError:
        raise Refused("bad-database-setting", variable=DATABASE) from None
    if given is not None:
        raise Refused("password-in-setting", variable=DATABASE, other=DATABASE_PASSWORD)
    database = url.path.removeprefix("/")
    socket = unquote(url.query.removeprefix("socket=")) if url.query.startswith("socket=") else ""
    if url.scheme not in {"mysql", "mariadb"} or not user or not (host or socket) or url.fragment:
        raise Refused("bad-database-setting", variable=DATABASE)
    if not _NAME.fullmatch(database) or (url.query and not socket.startswith("/")):
        raise Refused("bad-database-setting", variable=DATABASE)
    return DatabaseAccess(host, port, user, database, socket, _secret(environ, DATABASE_PASSWORD))


def doveadm_access(environ: Mapping[str, str]) -> DoveadmAccess | None:
    """From MXGW_ADMIN_DOVEADM, ``http://host[:port]``, and its key; None where it is not set."""
    text = environ.get(DOVEADM, "").strip()
    if not text:
        return None
    try:
        url = urlsplit(text)
        port = url.port or DOVEADM_PORT
    except ValueError:
        raise Refused("bad-doveadm-setting", variable=DOVEADM) from None
    if url.scheme != "http" or not url.hostname or url.username or url.path.strip("/") or url.query:
        raise Refused("bad-doveadm-setting", variable=DOVEADM)
    key = _secret(environ, DOVEADM_KEY)
    if not key:
        raise Refused("no-doveadm-key", variable=DOVEADM_KEY)
    return DoveadmAccess(url.hostname, port, key)


def _secret(environ: Mapping[str, str], variable: str) -> str:
    """The variable, or the first line of the file that the variable with _FILE names."""
    path = environ.get(f"{variable}_FILE", "")
    if not path:
        return environ.get(variable, "")
    try:
        with Path(path).open("rb") as file:
            octets = file.read(MAX_SECRET_OCTETS + 1)
        text = octets.decode()
    except (OSError, ValueError):
        raise Refused("secret-file-unreadable", variable=f"{variable}_FILE", path=shown(path)) from None
    if len(octets) > MAX_SECRET_OCTETS or "\n" in text.removesuffix("\n"):
        raise Refused("secret-file-unreadable", variable=f"{variable}_FILE", path=shown(path))
    return text.removesuffix("\n").removesuffix("\r")
