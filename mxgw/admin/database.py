"""One connection to MariaDB, one transaction; what goes wrong there becomes a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import pymysql

from mxgw.admin.access import DATABASE, DATABASE_PASSWORD, DatabaseAccess
from mxgw.admin.refusal import Refused

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 5
"""A person waits; the tables have some hundred rows."""

Value: TypeAlias = str | int | None
Row: TypeAlias = tuple[Value, ...]

# https://mariadb.com/docs/server/reference/error-codes
_NOT_ALLOWED = {1044, 1045, 1142, 1143, 1698}
_NO_SCHEMA = {1049, 1054, 1146}
_DUPLICATE = 1062


class Duplicate(Exception):
    """The row is there already: somebody else was quicker."""


class Database:
    """An open connection. Changes hold when ``opened`` ends without an exception."""

    def __init__(self, connection: pymysql.connections.Connection[pymysql.cursors.Cursor]) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """What a SELECT finds."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, tuple(values))
            return list(cursor.fetchall())

    def change(self, statement: str, values: Sequence[Value] = ()) -> int:
        """How many rows a statement has changed; raises Duplicate where one is there already."""
        with self._connection.cursor() as cursor:
            try:
                return cursor.execute(statement, tuple(values))
            except pymysql.IntegrityError as error:
                if error.args[0] == _DUPLICATE:
                    raise Duplicate from None
                raise


@contextmanager
def opened(access: DatabaseAccess) -> Iterator[Database]:
    """A connection for one command: committed at the end, rolled back after any exception.

    Raises Refused where the database is away, says no, or has other tables.
    """
    try:
        connection = pymysql.connect(
            host=access.host or "localhost",
            port=access.port,
            unix_socket=access.socket or None,
            user=access.user,
            password=access.password,
            database=access.database,
            charset="utf8mb4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=STATEMENT_SECONDS,
            write_timeout=STATEMENT_SECONDS,
            # How many rows match, not how many are different now.
            client_flag=pymysql.constants.CLIENT.FOUND_ROWS,
            autocommit=False,
            # Credentials come from the settings alone.
            read_default_file=None,
        )
        try:
            yield Database(connection)
            connection.commit()
        finally:
            connection.close()
    except (pymysql.Error, OSError) as error:
        raise _refusal(error, access) from error


def _refusal(error: Exception, access: DatabaseAccess) -> Refused:
    code = error.args[0] if error.args else None
    if code in _NOT_ALLOWED:
        return Refused(
            "database-says-no",
            failure=True,
            user=access.user,
            place=access.place,
            variable=DATABASE_PASSWORD,
        )
    if code in _NO_SCHEMA:
        return Refused("database-has-no-tables", failure=True, database=access.database, place=access.place)
    if isinstance(error, pymysql.IntegrityError | pymysql.DataError) or code == 4025:
        return Refused("database-forbids", failure=True, code=str(code))
    return Refused("database-away", failure=True, place=access.place, variable=DATABASE)
