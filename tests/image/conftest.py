"""The image, built once for all tests of it, and how a task of the service template runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.ecs.deployment import deployments
from tests.ecs.template_reading import BASE, SERVICE, read
from tests.image.debian_base import debian_base
from tests.image.engine import Engine

TAG = "mxgw"
VERSION = "0.0.1-test"
REVISION = "0123456789abcdef0123456789abcdef01234567"
# Of the task's variables, those that do not name something outside of the container.
OWN_VARIABLES = (
    "MXGW_SPOOL_DIR",
    "MXGW_MAX_SESSIONS",
    "MXGW_SPOOL_MEMORY_OCTETS",
    "MXGW_DRAIN_SECONDS",
    "MXGW_LOG",
    "MXGW_EMF_SERVICE",
)


@dataclass(frozen=True)
class Task:
    """The gateway's container, as ecs/service.yaml describes it, and its share of a core."""

    container: dict[str, Any]
    cores: float

    @property
    def options(self) -> list[str]:
        """For ``docker run``: the same user, root, capabilities, memory, core and variables."""
        assert self.container["ReadonlyRootFilesystem"] is True
        dropped = self.container["LinuxParameters"]["Capabilities"]["Drop"]
        variables = {one["Name"]: one["Value"] for one in self.container["Environment"]}
        return [
            "--read-only",
            f"--user={self.container['User']}",
            *(f"--cap-drop={name}" for name in dropped),
            "--security-opt=no-new-privileges",
            f"--memory={self.container['Memory']}m",
            f"--cpus={self.cores}",
            *(f"--env={name}={variables[name]}" for name in OWN_VARIABLES),
        ]

    @property
    def loopback(self) -> list[str]:
        """The same, at free ports of this machine's loopback, for nobody but these tests."""
        return [
            *self.options,
            "--network=host",
            "--env=MXGW_LISTEN=127.0.0.1:0",
            "--env=MXGW_HTTP_LISTEN=127.0.0.1:0",
            "--env=MXGW_HOSTNAME=mx.example.jp",
            "--env=MXGW_DOMAINS=example.jp",
            # Nothing that asks DNS: there is none here.
            "--env=MXGW_CHECKS=recipient",
            "--env=MXGW_MAX_SESSIONS_PER_CLIENT=1500",
        ]


@pytest.fixture(scope="session")
def task() -> Task:
    """The task of the service template."""
    deployment = next(deployments(read(BASE), read(SERVICE)))
    return Task(deployment.mxgw, int(deployment.task["Cpu"]) / 1024)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine in which the image ``mxgw`` is built."""
    base = debian_base()
    with Engine() as running:
        running.build(
            TAG, base=base, arguments=[f"--build-arg=VERSION={VERSION}", f"--build-arg=REVISION={REVISION}"]
        )
        yield running
