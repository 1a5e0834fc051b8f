"""Reading CloudFormation templates: YAML into plain values, and a stack as it would be made of them.

A made stack is the template with its parameters, conditions and intrinsic functions resolved. What only AWS
knows stands as text: ``<Name>`` for Ref of a resource, ``<Name.Attribute>`` for Fn::GetAtt, and for an import
whatever the exporting stack exports, ``<base:Name>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).parents[2] / "ecs"
BASE = TEMPLATES / "base.yaml"
SERVICE = TEMPLATES / "service.yaml"

Json = dict[str, Any]

_ABSENT = object()
_PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "ap-northeast-1",
    "AWS::URLSuffix": "amazonaws.com",
}


class TemplateMistake(Exception):
    """A template refers to what is not there."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, turned into the long ones."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def read(path: Path) -> Json:
    """The template in a file, with long forms."""
    return yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader with our own tags


@dataclass(frozen=True)
class Stack:
    """A made stack. ``exports`` holds what others may import, by name."""

    name: str
    resources: Mapping[str, Json]
    outputs: Mapping[str, Any]
    exports: Mapping[str, Any]

    def of_type(self, kind: str) -> dict[str, Json]:
        """The properties of all resources of a type, by logical name."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def only(self, kind: str) -> Json:
        """The properties of the one resource of a type."""
        found = self.of_type(kind)
        if len(found) != 1:
            raise TemplateMistake(f"{len(found)} resources of type {kind}")
        return next(iter(found.values()))


def make(
    template: Json,
    name: str,
    parameters: Mapping[str, str],
    *,
    imports: Mapping[str, Any] | None = None,
    label: str = "",
) -> Stack:
    """The stack that a template makes; ``label`` is written before the names of its resources.

    Raises TemplateMistake where a reference leads nowhere.
    """
    resolver = _Resolver(template, name, parameters, imports or {}, label)
    resources = {
        logical: resolver.value(resource)
        for logical, resource in template["Resources"].items()
        if resolver.holds(resource.get("Condition"))
    }
    for logical, resource in resources.items():
        for needed in _listed(resource.get("DependsOn")):
            if needed not in template["Resources"]:
                raise TemplateMistake(f"{logical} depends on {needed}, which is not there")
    outputs, exports = {}, {}
    for key, output in template.get("Outputs", {}).items():
        if resolver.holds(output.get("Condition")):
            outputs[key] = resolver.value(output["Value"])
            if "Export" in output:
                exports[resolver.value(output["Export"]["Name"])] = outputs[key]
    return Stack(name, resources, outputs, exports)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


class _Resolver:
    """Resolves the intrinsic functions of one template under one set of parameters."""

    def __init__(
        self,
        template: Json,
        stack: str,
        parameters: Mapping[str, str],
        imports: Mapping[str, Any],
        label: str,
    ) -> None:
        self._template = template
        self._stack = stack
        self._label = label
        self._imports = imports
        declared = template.get("Parameters", {})
        if unknown := set(parameters) - set(declared):
            raise TemplateMistake(f"no such parameters: {sorted(unknown)}")
        self._parameters = {}
        for name, row in declared.items():
            value = parameters.get(name, row.get("Default"))
            if value is None:
                raise TemplateMistake(f"parameter {name} has neither value nor default")
            pattern = row.get("AllowedPattern")
            if pattern is not None and not re.fullmatch(pattern, str(value)):
                raise TemplateMistake(f"parameter {name}: {value} does not fit {pattern}")
            self._parameters[name] = value

    def holds(self, condition: str | None) -> bool:
        if condition is None:
            return True
        return self._test(self._template["Conditions"][condition])

    def _test(self, expression: Json) -> bool:
        ((function, operands),) = expression.items()
        match function:
            case "Fn::Equals":
                left, right = map(self.value, operands)
                return bool(left == right)
            case "Fn::Not":
                return not self._test(operands[0])
            case "Fn::And":
                return all(map(self._test, operands))
            case "Fn::Or":
                return any(map(self._test, operands))
            case "Condition":
                return self.holds(operands)
        raise TemplateMistake(f"{function} is no condition")

    def value(self, value: Any) -> Any:
        found = self._value(value)
        return None if found is _ABSENT else found

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self._value(item)) is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, operand),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, operand)
        return {key: found for key, item in value.items() if (found := self._value(item)) is not _ABSENT}

    def _call(self, function: str, operand: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(operand)
            case "Fn::GetAtt":
                return self._attribute(*operand)
            case "Fn::If":
                condition, yes, no = operand
                return self._value(yes if self.holds(condition) else no)
            case "Fn::Sub":
                return self._substitute(operand)
            case "Fn::ImportValue":
                name = self.value(operand)
                if name not in self._imports:
                    raise TemplateMistake(f"nothing exports {name}")
                return self._imports[name]
            case "Fn::GetAZs":
                return [f"zone-{letter}" for letter in "abc"]
            case "Fn::Select":
                return self.value(operand[1])[int(operand[0])]
            case "Fn::Split":
                return self.value(operand[1]).split(operand[0])
        raise TemplateMistake(f"{function} is not known here")

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _ABSENT
        if name == "AWS::StackName":
            return self._stack
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        return f"<{self._resource(name)}>"

    def _attribute(self, name: str, attribute: str) -> str:
        return f"<{self._resource(name)}.{attribute}>"

    def _resource(self, name: str) -> str:
        resource = self._template["Resources"].get(name)
        if resource is None or not self.holds(resource.get("Condition")):
            raise TemplateMistake(f"a reference to {name}, which is not there")
        return self._label + name

    def _substitute(self, operand: Any) -> str:
        text, local = (operand, {}) if isinstance(operand, str) else operand

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name in local:
                return str(self.value(local[name]))
            resource, _, attribute = name.partition(".")
            return str(self._attribute(resource, attribute) if attribute else self._reference(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", replaced, text)


def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value within, with the keys that lead to it."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, str(index)))
