"""MariaDB's content as one file of SQL, by the programs in its own container.

The password is in the container's environment: it is on no command line.
"""

from __future__ import annotations

import os
from pathlib import Path

from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Stack

DATABASES = ("mail", "roundcube")
SECONDS = 1800.0
"""Users and settings are some megabytes; a disk in trouble is slow."""

_CLIENT = "--no-defaults --protocol=tcp --host=127.0.0.1 --user=root"
# One transaction: what it shows is one moment, and nobody waits for it.
_DUMP = (
    f'MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb-dump {_CLIENT} --single-transaction --quick --routines '
    f"--triggers --events --hex-blob --databases {' '.join(DATABASES)}"
)
_LOAD = f'MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb {_CLIENT}'
# The password in force is the first line of what it is given; the container's environment may have another.
_AS_ROOT = f"IFS= read -r MYSQL_PWD; export MYSQL_PWD; exec mariadb {_CLIENT}"
END = b"-- Dump completed"


def dump(stack: Stack, target: Path) -> None:
    """Raises Refused where it is not whole."""
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        answer = stack.run("mariadb", ["sh", "-c", _DUMP], stdout=file, timeout=SECONDS)
    with target.open("rb") as file:
        file.seek(max(0, target.stat().st_size - 200))
        whole = END in file.read()
    if answer.code or not whole:
        raise Refused("backup-database-failed", failure=True, why=answer.errors.strip()[-300:])


def load(stack: Stack, source: Path) -> None:
    """In the place of what is there, table by table. Raises Refused."""
    with source.open("rb") as file:
        answer = stack.run("mariadb", ["sh", "-c", _LOAD], stdin=file, timeout=SECONDS)
    if answer.code:
        raise Refused("restore-database-failed", failure=True, why=answer.errors.strip()[-300:])
    grant(stack)


def grant(stack: Stack) -> None:
    """Schema and accounts in place. Raises Refused."""
    # A function that is dropped and made anew loses the rights to it; the schema's own step gives them again.
    answer = stack.compose("run", "--rm", "--no-deps", "-T", "accounts", timeout=SECONDS)
    if answer.code:
        raise Refused("restore-database-failed", failure=True, why=answer.errors.strip()[-300:])


def change_root_password(stack: Stack, known: str, fresh: str) -> str:
    """What MariaDB has against it; "" where it is done. ``fresh`` is made of A-Z a-z 0-9 . _ - alone."""
    accounts = ", ".join(f"'root'@'{host}' IDENTIFIED BY '{fresh}'" for host in ("%", "localhost"))
    said = stack.run(
        "mariadb",
        ["sh", "-c", _AS_ROOT],
        stdin=f"{known}\nALTER USER IF EXISTS {accounts};\n".encode(),
    )
    return (said.errors.strip() or "?") if said.code else ""
