"""All checks of the parsed templates, run under every choice of parameters."""

from __future__ import annotations

from tests.ecs import alarm_checks, network_checks, role_checks, task_checks, wording_checks
from tests.ecs.deployment import deployments
from tests.ecs.template_reading import Json, TemplateMistake

CHECKS = (
    *network_checks.CHECKS,
    *task_checks.CHECKS,
    *role_checks.CHECKS,
    *alarm_checks.CHECKS,
    *wording_checks.CHECKS,
)


def findings(base: Json, service: Json) -> list[str]:
    """What is wrong with the two templates: the check and its words, each once. Total over broken templates.

    A check that cannot find what it looks at (KeyError and the like) has found something, too.
    """
    found: dict[str, None] = {}
    try:
        made = list(deployments(base, service))
    except TemplateMistake as mistake:
        return [f"reference: {mistake}"]
    for deployment in made:
        for check in CHECKS:
            try:
                found.update(dict.fromkeys(f"{check.__name__}: {text}" for text in check(deployment)))
            except (LookupError, TypeError, ValueError, AttributeError, TemplateMistake) as error:
                found[f"{check.__name__}: {error!r}"] = None
    return list(found)
