"""Every mistake that is written down is found by a check: the checks see what they claim to see."""

from __future__ import annotations

import copy

import pytest

from tests.ecs import alarm_mistakes, network_mistakes, role_mistakes, task_mistakes
from tests.ecs.checks import findings
from tests.ecs.mutations import Mutation
from tests.ecs.template_reading import BASE, SERVICE, read

MUTATIONS = (
    *network_mistakes.MISTAKES,
    *task_mistakes.MISTAKES,
    *role_mistakes.MISTAKES,
    *alarm_mistakes.MISTAKES,
)
_TEMPLATES = {"base": read(BASE), "service": read(SERVICE)}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_mistake_is_found(mutation: Mutation) -> None:
    templates = copy.deepcopy(_TEMPLATES)

    mutation.change(templates[mutation.template])

    assert templates != _TEMPLATES
    assert findings(**templates) != []


def test_without_a_mistake_nothing_is_found() -> None:
    assert findings(**_TEMPLATES) == []


def test_no_mistake_is_made_twice() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
