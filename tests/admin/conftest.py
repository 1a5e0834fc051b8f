"""One household for all tests of the admin's commands; each uses addresses of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.admin.admin_house import AdminHouse


@pytest.fixture(scope="session")
def house() -> Iterator[AdminHouse]:
    """MariaDB and Dovecot of the stack, with the domain example.jp."""
    with AdminHouse() as running:
        yield running
