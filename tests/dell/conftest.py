"""One household for the tests that change nothing but its own users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dell.household import Household


@pytest.fixture(scope="session")
def household() -> Iterator[Household]:
    """MariaDB and Dovecot of the stack, healthy, with no users yet: each test adds its own."""
    with Household() as house:
        yield house
