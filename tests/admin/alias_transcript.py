"""What ``mxgw admin alias`` has on the screen, for docs/en/daily.md and docs/ja/daily.md.

``python -m tests.admin.alias_transcript`` writes it anew, from a house of its own.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.admin.admin_house import AdminHouse
from tests.admin.person import Person
from tests.dell.household import DOMAIN
from tests.install.transcript import DOCS, into_guide

NAME = "aliases"
SECOND = "example.com"
TARO, HANAKO = f"taro@{DOMAIN}", f"hanako@{DOMAIN}"

# One mailbox for an address here, for one of another domain, and for all that is left of it but one.
COMMANDS = (
    f"mxgw admin alias add info@{DOMAIN} {TARO}",
    f"mxgw admin alias add sales@{SECOND} {TARO}",
    f"mxgw admin alias add @{SECOND} {TARO}",
    f"mxgw admin alias add info@{SECOND} {HANAKO}",
    f"mxgw admin alias list --domain {SECOND}",
)
ADDED = (f"info@{DOMAIN}", f"sales@{SECOND}", f"@{SECOND}", f"info@{SECOND}")


@contextmanager
def prepared(house: AdminHouse) -> Iterator[None]:
    """The second domain and two mailboxes are there; afterwards the house is as it was."""
    there = {user["address"] for user in house.admin("user", "list").facts}
    for address in {TARO, HANAKO} - there:
        house.user(address.partition("@")[0])
    house.admin("domain", "add", SECOND)
    try:
        yield
    finally:
        withdrawn(house)
        house.admin("domain", "remove", SECOND, "--yes")
        for address in {TARO, HANAKO} - there:
            house.admin("user", "remove", address, "--delete-mail", "--yes")


def withdrawn(house: AdminHouse) -> None:
    """None of the aliases is there, whether they were or not."""
    for alias in ADDED:
        house.admin("alias", "remove", alias, "--yes")


def screens(house: AdminHouse, language: str) -> str:
    """Each command with what it said."""
    environ = house.environ(lang=language) | {"NO_COLOR": "1", "TERM": "xterm"}
    said = []
    for command in COMMANDS:
        words = shlex.split(command)[2:]
        with Person(house.at_terminal(*words), environ) as person:
            assert person.ends() == 0, person.screen
            lines = [line.rstrip() for line in person.screen.splitlines()]
        said.append("\n".join([f"$ {command}", *lines]))
    return "\n\n".join(said) + "\n"


def main() -> int:
    with AdminHouse() as house, prepared(house):
        for language in ("en", "ja"):
            withdrawn(house)
            into_guide(DOCS / language / "daily.md", NAME, screens(house, language))
    return 0


if __name__ == "__main__":
    sys.exit(main())
