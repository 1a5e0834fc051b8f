"""One household for the tests that change nothing but its own users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dell.household import Household
from tests.dell.scanning import Scanners


@pytest.fixture(scope="session")
def household() -> Iterator[Household]:
    """MariaDB and Dovecot of the stack, healthy, with no users yet: each test adds its own."""
    with Household() as house:
        yield house


@pytest.fixture(scope="session")
def scanners(household: Household) -> Iterator[Scanners]:
    """The scanners of the stack, beside the household's mailboxes."""
    found = Scanners(household.host)
    try:
        found.start()
        yield found
    finally:
        found.close()
