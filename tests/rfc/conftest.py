"""Gateways for the tests here: one process per set of settings and module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.rfc.edge import Edge


@pytest.fixture(scope="module")
def edges() -> Iterator[Callable[[Mapping[str, str]], Edge]]:
    """Gives the running gateway with these settings; started at the first call, ended with the module."""
    with ExitStack() as stack:
        running: dict[tuple[tuple[str, str], ...], Edge] = {}

        def edge_with(settings: Mapping[str, str]) -> Edge:
            key = tuple(sorted(settings.items()))
            if key not in running:
                running[key] = stack.enter_context(Edge(settings))
            running[key].home.messages.clear()
            return running[key]

        yield edge_with


@pytest.fixture
def edge(edges: Callable[[Mapping[str, str]], Edge]) -> Edge:
    """The gateway with nothing but the common settings; home has forgotten what came before."""
    return edges({})
