"""The logs of one story, for all tests of this directory."""

from __future__ import annotations

import asyncio

import pytest

from tests.trail.story import Story, tell


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """See tests.trail.story."""
    return asyncio.run(tell(tmp_path_factory.mktemp("logs")))
