"""Users, aliases and domains: the tables of dell-stack/mariadb/schema.sql, and what may be done to them.

Every function takes a Database within its transaction; raises Refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from mxgw.admin.database import Database, Duplicate
from mxgw.admin.forms import domain_of
from mxgw.admin.refusal import Refused

DEFAULT_QUOTA_OCTETS = 2000 * 1024**2
"""The 2,000 MB that every mailbox is promised; the schema's default."""


@dataclass(frozen=True, slots=True)
class User:
    """A mailbox; ``quota_octets`` 0 is without bound."""

    address: str
    quota_octets: int
    active: bool
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """An address, or "@domain", that leads to a user."""

    address: str
    user: str
    active: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain and how much is in it."""

    name: str
    active: bool
    users: int
    aliases: int


# -- users ------------------------------------------------------------------------------------------------


def users(database: Database, *, domain: str = "") -> list[User]:
    """All users, or those of a domain, by domain and address."""
    led: dict[str, list[str]] = {}
    for alias in aliases(database):
        led.setdefault(alias.user, []).append(alias.address)
    rows = database.rows(
        "SELECT email, quota_octets, active FROM users WHERE %s IN ('', domain) ORDER BY domain, email",
        [domain],
    )
    return [
        User(str(email), int(quota or 0), bool(active), tuple(led.get(str(email), ())))
        for email, quota, active in rows
    ]


def user(database: Database, address: str) -> User:
    """One user, whom there must be."""
    rows = database.rows("SELECT quota_octets, active FROM users WHERE email = %s", [address])
    if not rows:
        raise _no_user(database, address)
    found = database.rows("SELECT address FROM aliases WHERE user = %s ORDER BY address", [address])
    quota, active = rows[0]
    return User(address, int(quota or 0), bool(active), tuple(str(alias) for (alias,) in found))


def may_add_user(database: Database, address: str) -> None:
    """Raises Refused where there can be no new mailbox of this name: told before a password is asked for."""
    need_domain(database, domain_of(address))
    if database.rows("SELECT 1 FROM users WHERE email = %s", [address]):
        raise Refused("user-exists", address=address)
    led = database.rows("SELECT user FROM aliases WHERE address = %s", [address])
    if led:
        raise Refused("user-is-alias", address=address, user=str(led[0][0]))


def add_user(database: Database, address: str, *, password_hash: str, quota_octets: int) -> None:
    """A new mailbox."""
    may_add_user(database, address)
    try:
        database.change(
            "INSERT INTO users (email, domain, password, quota_octets) VALUES (%s, %s, %s, %s)",
            [address, domain_of(address), password_hash, quota_octets],
        )
    except Duplicate:
        raise Refused("user-exists", address=address) from None


def remove_user(database: Database, address: str) -> None:
    """The mailbox loses its name, and the aliases that lead to it go with it; the mail stays where it is."""
    if not database.change("DELETE FROM users WHERE email = %s", [address]):
        raise _no_user(database, address)


def set_password(database: Database, address: str, password_hash: str) -> None:
    """Another password."""
    if not database.change("UPDATE users SET password = %s WHERE email = %s", [password_hash, address]):
        raise _no_user(database, address)


def set_quota(database: Database, address: str, quota_octets: int) -> None:
    """Another quota."""
    if not database.change("UPDATE users SET quota_octets = %s WHERE email = %s", [quota_octets, address]):
        raise _no_user(database, address)


# -- aliases ----------------------------------------------------------------------------------------------


def aliases(database: Database, *, domain: str = "") -> list[Alias]:
    """All aliases, or those of a domain."""
    rows = database.rows(
        "SELECT address, user, active FROM aliases WHERE %s IN ('', domain) ORDER BY domain, address",
        [domain],
    )
    return [Alias(str(address), str(user), bool(active)) for address, user, active in rows]


def add_alias(database: Database, address: str, target: str) -> None:
    """Mail to ``address`` goes to the user ``target`` from now on, and that user may write under it."""
    need_domain(database, domain_of(address))
    if database.rows("SELECT 1 FROM users WHERE email = %s", [address]):
        raise Refused("alias-is-user", address=address)
    if not database.rows("SELECT 1 FROM users WHERE email = %s", [target]):
        raise Refused("alias-leads-nowhere", user=target)
    try:
        database.change(
            "INSERT INTO aliases (address, domain, user) VALUES (%s, %s, %s)",
            [address, domain_of(address), target],
        )
    except Duplicate:
        led = database.rows("SELECT user FROM aliases WHERE address = %s", [address])
        raise Refused("alias-exists", address=address, user=str(led[0][0]) if led else "") from None


def alias(database: Database, address: str) -> Alias:
    """One alias, which there must be."""
    rows = database.rows("SELECT user, active FROM aliases WHERE address = %s", [address])
    if rows:
        return Alias(address, str(rows[0][0]), bool(rows[0][1]))
    if database.rows("SELECT 1 FROM users WHERE email = %s", [address]):
        raise Refused("user-not-alias", address=address)
    raise Refused("no-alias", address=address)


def remove_alias(database: Database, address: str) -> None:
    """The address leads nowhere any more."""
    if not database.change("DELETE FROM aliases WHERE address = %s", [address]):
        raise Refused("no-alias", address=address)


# -- domains ----------------------------------------------------------------------------------------------


def domains(database: Database) -> list[Domain]:
    """All domains."""
    rows = database.rows(
        "SELECT d.name, d.active, (SELECT COUNT(*) FROM users u WHERE u.domain = d.name),"
        " (SELECT COUNT(*) FROM aliases a WHERE a.domain = d.name) FROM domains d ORDER BY d.name"
    )
    return [
        Domain(str(name), bool(active), int(users or 0), int(led or 0)) for name, active, users, led in rows
    ]


def add_domain(database: Database, name: str) -> None:
    """A domain of ours."""
    try:
        database.change("INSERT INTO domains (name) VALUES (%s)", [name])
    except Duplicate:
        raise Refused("domain-exists", domain=name) from None


def empty_domain(database: Database, name: str) -> None:
    """Raises Refused unless the domain is ours and nothing is in it but the alias of its postmaster."""
    found = [domain for domain in domains(database) if domain.name == name]
    if not found:
        raise _unknown_domain(database, name)
    others = [alias for alias in aliases(database, domain=name) if alias.address != postmaster(name)]
    if found[0].users or others:
        raise Refused("domain-in-use", domain=name, users=found[0].users, aliases=len(others))


def postmaster(domain: str) -> str:
    """The address that every domain has (RFC 5321 section 4.5.1)."""
    return f"postmaster@{domain}"


def reader_of(database: Database, address: str) -> str:
    """The user whom mail to an address reaches, "" where nobody has it; a catch-all does not count."""
    if database.rows("SELECT 1 FROM users WHERE email = %s", [address]):
        return address
    led = database.rows("SELECT user FROM aliases WHERE address = %s", [address])
    return str(led[0][0]) if led else ""


def remove_domain(database: Database, name: str) -> None:
    """A domain that is empty; its postmaster goes with it."""
    empty_domain(database, name)
    database.change("DELETE FROM aliases WHERE address = %s", [postmaster(name)])
    database.change("DELETE FROM domains WHERE name = %s", [name])


def need_domain(database: Database, name: str) -> None:
    """Raises Refused unless the domain is ours."""
    if not database.rows("SELECT 1 FROM domains WHERE name = %s", [name]):
        raise _unknown_domain(database, name)


def _unknown_domain(database: Database, name: str) -> Refused:
    ours = ", ".join(domain.name for domain in domains(database))
    return (
        Refused("unknown-domain", domain=name, ours=ours) if ours else Refused("no-domain-yet", domain=name)
    )


def _no_user(database: Database, address: str) -> Refused:
    led = database.rows("SELECT user FROM aliases WHERE address = %s", [address])
    if led:
        return Refused("alias-not-user", address=address, user=str(led[0][0]))
    return Refused("no-user", address=address)
