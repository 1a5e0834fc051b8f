"""One machine for the tests that find it installed; a bare one for each test that begins at the beginning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.install.bare_machine import BareMachine


@pytest.fixture
def bare() -> Iterator[BareMachine]:
    """Rocky Linux 9, and nothing else."""
    with BareMachine() as machine:
        yield machine


@pytest.fixture(scope="module")
def set_up() -> Iterator[BareMachine]:
    """A machine on which install.sh has done its work once."""
    with BareMachine() as machine:
        run = machine.install()
        assert run.code == 0, run.said
        yield machine


@pytest.fixture
def installed(set_up: BareMachine) -> Iterator[BareMachine]:
    """The installed machine; each test leaves it whole."""
    yield set_up
    set_up.breaks()
