"""An AWS account for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws.cloud import Cloud, empty_cloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """An account at moto's server, on loopback."""
    with empty_cloud() as account:
        yield account
