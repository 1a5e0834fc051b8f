"""Dovecot's HTTP interface: what it remembers is forgotten, sessions end, mail is counted or deleted.

Dovecot keeps logins in memory for a day so that it can do without its database. Who was removed or has a
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
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

SECONDS = 30.0
"""Deleting a mailbox of some gigabytes takes the longest."""

MAX_ANSWER_OCTETS = 4 * 1024**2
"""A hundred users' quotas are 20 KiB."""

MAX_DIRECTORY_DEPTH = 8
"""Maildir++ has three below a home: Maildir/.Folder/cur."""

Command: TypeAlias = tuple[str, dict[str, Any]]

_NO_SESSION = 68
"""What `doveadm kick` ends with where there is nobody to disconnect."""

_NOT_THERE = frozenset({_NO_SESSION})
"""The same code where a directory was never made."""

_ANY_CODE = frozenset(range(1, 256))


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
        """The next login or delivery asks the database again.

        What a catch-all, "@example.jp", was found for is remembered under every address that was written to:
        then all is forgotten, of everybody.
        """
        everybody = any(address.startswith("@") for address in addresses)
        self._ask([("authCacheFlush", {"user": [] if everybody else list(addresses)})])

    def disconnect(self, user: str) -> None:
        """End the user's sessions; a mail program that may still log in comes back by itself."""
        self._ask([("kick", {"mask": [user]})], allowed=frozenset({_NO_SESSION}))

    def usage(self, users: Sequence[str]) -> dict[str, Usage]:
        """How full the mailboxes are; one that cannot be counted is not in the answer."""
        answers = self._ask([("quotaGet", {"user": user}) for user in users], allowed=_ANY_CODE)
        found: dict[str, Usage] = {}
        for user, rows in zip(users, answers, strict=True):
            values = {row.get("type"): _number(row.get("value")) for row in rows if isinstance(row, dict)}
            if "STORAGE" in values:
                # Dovecot tells storage in KiB.
                found[user] = Usage(values["STORAGE"] * 1024, values.get("MESSAGE", 0))
        return found

    def home(self, user: str) -> str:
        """The user's directory at Dovecot. Ask while the user is known.

        It must bear the user's name: where a configuration gives everybody one directory, deleting that would
        take everybody's mail.
        """
        (rows,) = self._ask([("user", {"userMask": [user], "field": "home"})])
        for row in rows:
            facts = row.get(user) if isinstance(row, dict) else None
            home = facts.get("home") if isinstance(facts, dict) else None
            if not isinstance(home, str):
                continue
            path = PurePosixPath(home)
            if path.is_absolute() and path.name in {user, user.partition("@")[0]} and ".." not in path.parts:
                return home
            raise Refused("home-is-not-the-users", user=user, path=shown(home))
        raise Refused("doveadm-failed", failure=True, place=self._access.place)

    def delete(self, home: str) -> None:
        """Everything in a user's directory: mail, folders, filters. There is no way back."""
        path = PurePosixPath(home)
        place = {"fsDriver": "posix", "fsArgs": f"prefix={path.parent}/"}
        self._ask([("fsDelete", {**place, "recursive": True, "path": [f"{path.name}/"]})], allowed=_NOT_THERE)
        # That takes the files, and leaves directories where there were none: folders' names would come back
        # with the next user of this name. A directory's empty parents go with it.
        empty = self._leaves(place, path.name)
        self._ask([("fsDelete", {**place, "path": empty})], allowed=_ANY_CODE)

    def _leaves(self, place: dict[str, str], top: str) -> list[str]:
        """The directories at or below ``top`` that have none below them."""
        found, level = [], [top]
        for _ in range(MAX_DIRECTORY_DEPTH):
            asked = [("fsIterDirs", {**place, "path": f"{directory}/"}) for directory in level]
            children = [
                [f"{directory}/{row['path']}" for row in rows]
                for directory, rows in zip(level, self._ask(asked, allowed=_ANY_CODE), strict=True)
            ]
            found += [directory for directory, below in zip(level, children, strict=True) if not below]
            level = [child for below in children for child in below]
        return found

    def _ask(self, commands: Sequence[Command], *, allowed: frozenset[int] = frozenset()) -> list[list[Any]]:
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
            return [self._rows(*told[str(index)], allowed) for index in range(len(commands))]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Refused("doveadm-failed", failure=True, place=self._access.place) from None

    def _rows(self, kind: str, rows: Any, allowed: frozenset[int]) -> list[Any]:
        if kind == "doveadmResponse":
            return rows if isinstance(rows, list) else [rows]
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
