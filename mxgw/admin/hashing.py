"""Passwords as the database keeps them, in a scheme that every Dovecot 2.3 verifies.

BLF-CRYPT (bcrypt) is part of Dovecot itself since 2.3.0. ARGON2ID would depend on how the image was built
(libsodium) and on 64 MiB for each login that is being checked.
"""

from __future__ import annotations

import bcrypt

COST = 10
"""A twentieth of a second of one core, which Dovecot spends in the one process that all logins wait for, and
Roundcube logs in anew for each page. One step less is below what OWASP asks for."""


def hash_password(password: str, *, cost: int = COST) -> str:
    """With its scheme in front, as ``users.password`` wants it. At most 72 octets: see forms.password."""
    return "{BLF-CRYPT}" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode("ascii")


def verifies(password: str, stored: str) -> bool:
    """Whether a password fits what ``hash_password`` made of it."""
    return bcrypt.checkpw(password.encode(), stored.removeprefix("{BLF-CRYPT}").encode())
