"""Fixtures for all tests: a real home and a running gateway in front of it, one of each for a test file."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.rig.dovecot import Dovecot
from tests.rig.gateway import Gateway

# A fresh checkout has to make hypothesis's tables of characters first, and others work on the machine: how
# long an example takes says nothing about the program.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

USERS = ("taro", "hanako", "jiro", *(f"u{n}" for n in range(40)))


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """Home: taro, hanako, jiro and u0 to u39 at example.jp, without quota."""
    with Dovecot(dict.fromkeys(USERS)) as home:
        yield home


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot) -> Iterator[Gateway]:
    """The gateway in front of ``dovecot``. It must end with exit code 0, and without a traceback."""
    with Gateway(dovecot.url) as edge:
        yield edge
        assert edge.terminate() == 0
        assert edge.tracebacks() == []


ONE_AFTER_ANOTHER = {"admin", "backup", "cloud", "home", "image", "opinions", "trail"}
"""Directories that share what is dear to make, for the whole session: one process runs them."""

DOCKER = ("tests/image/", "tests/dell/test_stack_in_containers.py")
"""They start a Docker daemon; two of them would fight over the machine's bridges and firewall."""


class Togetherness(LoadScopeScheduling):
    """Which tests run in one process: those of a file, or of a whole directory."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        directory = path.split("/")[1]
        if path.startswith(DOCKER):
            return "docker"
        return directory if directory in ONE_AFTER_ANOTHER else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Togetherness:
    """For ``pytest -n``."""
    return Togetherness(config, log)
