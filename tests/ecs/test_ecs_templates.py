"""The checks find nothing in the templates as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.ecs.checks import CHECKS
from tests.ecs.deployment import Deployment, deployments
from tests.ecs.template_reading import BASE, SERVICE, read

MADE = tuple(deployments(read(BASE), read(SERVICE)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_check_finds_nothing(check: Callable[[Deployment], Iterator[str]]) -> None:
    assert [text for deployment in MADE for text in check(deployment)] == []
