"""Dovecot's HTTP interface: what it remembers is forgotten, sessions end, mail is counted or deleted.

Dovecot keeps logins in memory for an hour so that it can do without its database. Who was removed or has a
new password is therefore made known to it at once.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from mxgw.admin.access import DOVEADM, DOVEADM_KEY, DoveadmAccess
from mxgw.admin.refusal import Refused

SECONDS = 30.0
"""Deleting a mailbox of some gigabytes takes the longest."""

MAX_ANSWER_OCTETS = 4 * 1024**2
"""A hundred users' quotas are 20 KiB."""

Command: TypeAlias = tuple[str, dict[str, Any]]

_NO_SUCH_USER = 67
"""EX_NOUSER of sysexits(3)."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How full a mailbox is."""

    octets: int
    messages: int


class MailStore:
    """A Dovecot; each call is one request. Raises Refused where it is away or says no."""

    def __init__(self, access: DoveadmAccess) -> None:
        self._access = access

    def forget(self, addresses: Sequence[str]) -> None:
        """The next login or delivery asks the database again."""
        self._ask([("authCacheFlush", {"user": list(addresses)})])

    def disconnect(self, user: str) -> None:
        """End the user's sessions; a mail program that may still log in comes back by itself."""
        # It fails where there are none: fine.
        self._ask([("kick", {"mask": [user]})], allowed={_NO_SUCH_USER, *range(1, 256)})

    def usage(self, users: Sequence[str]) -> dict[str, Usage]:
        """How full the mailboxes are. Who never had mail is not in the answer, or has 0."""
        answers = self._ask([("quotaGet", {"user": user}) for user in users], allowed=set(range(1, 256)))
        found: dict[str, Usage] = {}
        for user, rows in zip(users, answers, strict=True):
            values = {row.get("type"): _number(row.get("value")) for row in rows if isinstance(row, dict)}
            if "STORAGE" in values:
                # Dovecot tells storage in KiB.
                found[user] = Usage(values["STORAGE"] * 1024, values.get("MESSAGE", 0))
        return found

    def home(self, user: str) -> str:
        """The user's directory at Dovecot. Ask while the user is known."""
        (rows,) = self._ask([("user", {"userMask": [user], "field": "home"})])
        for row in rows:
            facts = row.get(user) if isinstance(row, dict) else None
            home = facts.get("home") if isinstance(facts, dict) else None
            if isinstance(home, str) and home.startswith("/"):
                return home
        raise Refused("doveadm-failed", failure=True, place=self._access.place)

    def delete(self, home: str) -> None:
        """Everything in a user's directory: mail, folders, filters. There is no way back."""
        path = PurePosixPath(home)
        arguments = {"recursive": True, "fsDriver": "posix", "fsArgs": f"prefix={path.parent}/"}
        self._ask([("fsDelete", {**arguments, "path": [f"{path.name}/"]})], allowed=set())

    def _ask(self, commands: Sequence[Command], *, allowed: set[int] | None = None) -> list[list[Any]]:
        """The rows that each command gave; [] for one that ended with an exit code in ``allowed``."""
        if not commands:
            return []
        body = json.dumps([[name, given, str(index)] for index, (name, given) in enumerate(commands)])
        status, text = self._post(body)
        if status in {401, 403}:
            raise Refused("doveadm-says-no", failure=True, place=self._access.place, variable=DOVEADM_KEY)
        try:
            answers = json.loads(text) if status == http.client.OK else []
            told = {tag: (kind, rows) for kind, rows, tag in answers}
            return [self._rows(*told[str(index)], allowed or set()) for index in range(len(commands))]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused("doveadm-failed", failure=True, place=self._access.place) from None

    def _rows(self, kind: str, rows: Any, allowed: set[int]) -> list[Any]:
        if kind == "doveadmResponse" and isinstance(rows, list):
            return rows
        if kind == "error" and rows.get("exitCode") in allowed:
            return []
        raise Refused("doveadm-failed", failure=True, place=self._access.place)

    def _post(self, body: str) -> tuple[int, str]:
        key = base64.b64encode(self._access.key.encode()).decode("ascii")
        connection = http.client.HTTPConnection(self._access.host, self._access.port, timeout=SECONDS)
        try:
            connection.request(
                "POST",
                "/doveadm/v1",
                body.encode(),
                {"Authorization": f"X-Dovecot-API {key}", "Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            return answer.status, answer.read(MAX_ANSWER_OCTETS).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            raise Refused("doveadm-away", failure=True, place=self._access.place, variable=DOVEADM) from None
        finally:
            connection.close()


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdigit() else 0
