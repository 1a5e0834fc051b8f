"""Reads the parameters of ecs/*.yaml, and what is kept when a stack goes.

Only what is wanted is read, from the layout that the two templates have (two spaces for a name, four for its
keys); a test holds it against a real YAML parser. CloudFormation reads the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_TEMPLATE_OCTETS = 51_200
"""Of a template in a request; larger ones would need a bucket of S3 ("CloudFormation quotas")."""

_SECTION = re.compile(r"([A-Za-z]+):")
_NAME = re.compile(r"  ([A-Za-z0-9]+):\s*$")
_KEY = re.compile(r"    ([A-Za-z]+): *(.*)$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What CloudFormation takes for it; ``default`` is None where a value is needed."""

    name: str
    default: str | None
    pattern: str = ""
    allowed: tuple[str, ...] = ()
    number: bool = False
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """``retained`` is left behind when the stack is deleted."""

    name: str
    kind: str
    retained: bool


@dataclass(frozen=True, slots=True)
class Template:
    """One of the two templates, and what of it is asked here."""

    text: str
    parameters: Mapping[str, Parameter]
    resources: Mapping[str, Resource]


def read_template(path: Path) -> Template:
    """Raises OSError where it cannot be read."""
    text = path.read_text(encoding="utf-8")
    return Template(
        text,
        {name: _parameter(name, keys) for name, keys in _entries(text, "Parameters")},
        {
            name: Resource(name, keys.get("Type", ""), keys.get("DeletionPolicy") == "Retain")
            for name, keys in _entries(text, "Resources")
        },
    )


def _entries(text: str, wanted: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    section, name, keys = "", "", dict[str, str]()
    for line in [*text.splitlines(), "End:"]:
        if (found := _SECTION.match(line)) or (section == wanted and (found := _NAME.match(line))):
            if name:
                yield name, keys
            is_section = not line.startswith(" ")
            section, name = (found[1], "") if is_section else (section, found[1])
            keys = {}
        elif section == wanted and (found := _KEY.match(line)):
            keys[found[1]] = found[2]


def _parameter(name: str, keys: Mapping[str, str]) -> Parameter:
    listed = keys.get("AllowedValues", "").strip("[]")
    return Parameter(
        name,
        _unquoted(keys["Default"]) if "Default" in keys else None,
        _unquoted(keys.get("AllowedPattern", "")),
        tuple(_unquoted(part.strip()) for part in listed.split(",")) if listed else (),
        keys.get("Type") == "Number",
        float(keys["MinValue"]) if "MinValue" in keys else None,
        float(keys["MaxValue"]) if "MaxValue" in keys else None,
    )


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def sendable(text: str) -> str:
    """The template without what only readers need, where it would be too large otherwise.

    Comments in code that a template holds go as well, which is why nothing is taken away without need.
    """
    if len(text.encode()) <= MAX_TEMPLATE_OCTETS:
        return text
    return "".join(f"{line}\n" for line in text.splitlines() if not line.lstrip().startswith("#"))


def setting_of(parameter: str) -> str:
    """``MxHostname`` is ``mx_hostname`` in the file of settings."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", parameter).lower()
