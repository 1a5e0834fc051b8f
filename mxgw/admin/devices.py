"""Passwords of single devices: a phone that is lost loses its own password, and nobody else has to change.

The table ``devices`` of dell-stack/mariadb/schema.sql. Every function takes a Database within its
transaction; raises Refused.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from mxgw.admin import accounts
from mxgw.admin.database import Database, Duplicate
from mxgw.admin.forms import shown, typed
from mxgw.admin.refusal import Refused

LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 letters that nobody takes for each other when copying them from a screen: 5 bits each."""

PASSWORD_LETTERS = 20
"""100 bits: no guessing, however fast the hash is."""

GROUP_LETTERS = 4

MAX_NAME_CHARACTERS = 64
MAX_DEVICES = 50
"""Of one user: more is a program that makes devices, not a person who has them."""


@dataclass(frozen=True, slots=True)
class Device:
    """One of them; ``created`` in UTC."""

    user: str
    name: str
    created: datetime


def device_name(text: str) -> str:
    """What a person calls a device: ``iPhone``, ``居間の PC``."""
    name = " ".join(typed(text).split())
    if (
        not name
        or len(name) > MAX_NAME_CHARACTERS
        or any(unicodedata.category(one)[0] == "C" for one in name)
    ):
        raise Refused("bad-device-name", text=shown(text), most=MAX_NAME_CHARACTERS)
    return name


def new_password() -> str:
    """``abcd-efgh-ijkm-npqr-stuv``, made of chance."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(PASSWORD_LETTERS))
    groups = (letters[at : at + GROUP_LETTERS] for at in range(0, PASSWORD_LETTERS, GROUP_LETTERS))
    return "-".join(groups)


def digest(password: str) -> str:
    """As dell-stack/dovecot/devices.conf.ext looks for it."""
    return hashlib.sha256(password.replace("-", "").replace(" ", "").lower().encode()).hexdigest()


def devices(database: Database, *, user: str = "") -> list[Device]:
    """All devices, or those of a user."""
    # Seconds: a time would be written in the time zone of the database.
    rows = database.rows(
        "SELECT user, name, UNIX_TIMESTAMP(created) FROM devices WHERE %s IN ('', user) ORDER BY user, name",
        [user],
    )
    return [
        Device(str(owner), str(name), datetime.fromtimestamp(int(str(created)), UTC))
        for owner, name, created in rows
    ]


def add_device(database: Database, user: str, name: str, password: str) -> None:
    """The user may log in with this password, too."""
    accounts.user(database, user)
    if len(devices(database, user=user)) >= MAX_DEVICES:
        raise Refused("too-many-devices", user=user, most=MAX_DEVICES)
    try:
        database.change(
            "INSERT INTO devices (user, name, digest) VALUES (%s, %s, %s)", [user, name, digest(password)]
        )
    except Duplicate:
        raise Refused("device-exists", user=user, name=name) from None


def need_device(database: Database, user: str, name: str) -> None:
    """Raises Refused, with the names that there are, unless the user has this device."""
    accounts.user(database, user)
    names = [device.name for device in devices(database, user=user)]
    if name not in names:
        raise Refused("no-device", user=user, name=name, names=", ".join(names) or "-")


def remove_device(database: Database, user: str, name: str) -> None:
    """Its password is worth nothing any more."""
    need_device(database, user, name)
    database.change("DELETE FROM devices WHERE user = %s AND name = %s", [user, name])
