"""The third opinion, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.opinions.mailauth import Mailauth


@pytest.fixture(scope="session")
def mailauth() -> Iterator[Mailauth]:
    """Installs it where it is missing, which takes some ten seconds; fails where that cannot be done."""
    with Mailauth() as child:
        yield child
