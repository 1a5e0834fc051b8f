"""One AWS for all, empty for each test; a desk of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.deploy_rig import Aws, Desk, running_aws


@pytest.fixture(scope="package")
def cloud() -> Iterator[Aws]:
    with running_aws() as aws:
        yield aws


@pytest.fixture
def aws(cloud: Aws) -> Aws:
    cloud.reset()
    return cloud


@pytest.fixture
def desk(tmp_path: Path, aws: Aws) -> Desk:
    return Desk(tmp_path, aws)
