"""How a mistake in a template is written down: its name, the template, and a change of what was parsed.

A path leads from a resource to one of its properties, keys and indices separated by "/"; GATEWAY, SIDECAR,
TLS_CERT and START stand for the two containers, the variable of the certificate where there is one, and the
statements of the execution role.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.ecs.template_reading import Json

Change = Callable[[Json], None]

GROUP = ("TargetGroup", "TargetGroupAttributes")
LISTENER = ("Listener", "ListenerAttributes")
BALANCER = ("LoadBalancer", "LoadBalancerAttributes")

_SHORT = {
    "GATEWAY": "TaskDefinition/ContainerDefinitions/0",
    "SIDECAR": "TaskDefinition/ContainerDefinitions/1",
    "TLS_CERT": "TaskDefinition/ContainerDefinitions/0/Environment/13/Fn::If/1",
    "START": "ExecutionRole/Policies/0/PolicyDocument/Statement",
}
_BESIDE_PROPERTIES = {"Condition", "DeletionPolicy", "DependsOn", "UpdateReplacePolicy"}


@dataclass(frozen=True)
class Mutation:
    """One mistake: its name, the template it is in, and the change that makes it."""

    name: str
    template: str
    change: Change


def base(name: str, change: Change) -> Mutation:
    """A mistake in base.yaml."""
    return Mutation(name, "base", change)


def service(name: str, change: Change) -> Mutation:
    """A mistake in service.yaml."""
    return Mutation(name, "service", change)


def put(path: str, value: Any) -> Change:
    """Set what stands at a path."""

    def change(template: Json) -> None:
        holder, last = _holder(template, path)
        holder[last] = value

    return change


def drop(path: str) -> Change:
    """Remove what stands at a path, or a whole resource. It must be there."""

    def change(template: Json) -> None:
        if "/" not in path:
            del template["Resources"][path]
            return
        holder, last = _holder(template, path)
        del holder[last]

    return change


def add(path: str, value: Any) -> Change:
    """Append to the list at a path."""

    def change(template: Json) -> None:
        holder, last = _holder(template, path)
        holder[last].append(value)

    return change


def attribute(owner: tuple[str, str], key: str, value: str | None = None, *, new: str = "") -> Change:
    """Give an attribute of a resource another value, or its value another (misspelt) key."""
    resource, entries = owner

    def change(template: Json) -> None:
        held = template["Resources"][resource]["Properties"][entries]
        (entry,) = [entry for entry in held if entry["Key"] == key]
        entry.update({"Key": new or key, "Value": entry["Value"] if value is None else value})

    return change


def variable(container: str, name: str, value: str) -> Change:
    """Set a variable of a container's plain environment."""

    def change(template: Json) -> None:
        holder, last = _holder(template, f"{container}/Environment")
        others = [entry for entry in holder[last] if entry.get("Name") != name]
        holder[last] = [*others, {"Name": name, "Value": value}]

    return change


def parameter(name: str, **changes: Any) -> Change:
    """Change how a parameter is declared."""

    def change(template: Json) -> None:
        template["Parameters"][name].update(changes)

    return change


def undeclare(*path: str) -> Change:
    """Remove what stands at a path from the top of the template."""

    def change(template: Json) -> None:
        place = template
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


def log_policy(text: str, other: str) -> Change:
    """Replace a text in the policy that lets EventBridge write to its log."""

    def change(template: Json) -> None:
        holder = template["Resources"]["TaskStopLogPolicy"]["Properties"]["PolicyDocument"]["Fn::Sub"]
        holder[0] = holder[0].replace(text, other)

    return change


def imported(name: str) -> Json:
    """An import from the base stack."""
    return {"Fn::ImportValue": {"Fn::Sub": "${BaseStackName}-" + name}}


def _holder(template: Json, path: str) -> tuple[Any, Any]:
    first, _, rest = path.partition("/")
    resource, *way = f"{_SHORT.get(first, first)}/{rest}".split("/")
    if way[0] not in _BESIDE_PROPERTIES:
        way.insert(0, "Properties")
    place: Any = template["Resources"][resource]
    for key in way[:-1]:
        place = place[int(key) if isinstance(place, list) else key]
    return place, int(way[-1]) if isinstance(place, list) else way[-1]
