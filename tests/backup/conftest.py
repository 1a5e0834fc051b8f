"""One household with a disk for backups, for the tests of backup and restore."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backup.backup_house import BackupHouse


@pytest.fixture(scope="session")
def backup_house() -> Iterator[BackupHouse]:
    """MariaDB and Dovecot of the stack, with the domain example.jp."""
    with BackupHouse() as running:
        yield running
