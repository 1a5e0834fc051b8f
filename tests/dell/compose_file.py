"""dell-stack/compose.yaml as the tests read it: parsed, with the variables of a site put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.rig.process import ROOT

STACK = ROOT / "dell-stack"
COMPOSE = STACK / "compose.yaml"
EXAMPLE = STACK / ".env.example"

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Z_0-9]+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}")
_ASSIGNMENT = re.compile(r"^#?\s?(?P<name>[A-Z][A-Z_0-9]*)=(?P<value>.*)$")


def variables(text: str) -> dict[str, str]:
    """Names that a compose file takes from .env, each with what follows it (":?" or ":-default")."""
    return {
        match["name"]: f":{match['kind']}{match['word']}" if match["kind"] else ""
        for match in _VARIABLE.finditer(text)
        if match["name"]
    }


def example_variables() -> dict[str, str]:
    """What .env.example assigns; what is optional stands there behind a comment sign."""
    return {
        match["name"]: match["value"]
        for match in map(_ASSIGNMENT.match, EXAMPLE.read_text().splitlines())
        if match
    }


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """As Compose does it. KeyError names a variable that must be set and is not."""

    def put(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        value = environ.get(match["name"], "")
        if value:
            return value
        if match["kind"] == "?":
            raise KeyError(match["name"])
        return match["word"] or ""

    return _VARIABLE.sub(put, text)


def read_compose(environ: Mapping[str, str]) -> dict[str, Any]:
    """The file, merged and interpolated."""
    parsed: dict[str, Any] = _walk(yaml.safe_load(COMPOSE.read_text()), environ)
    return parsed


def host_path(volume: str) -> tuple[Path, str, list[str]]:
    """Source, target and options of a volume in short form; relative sources are the stack's."""
    source, target, *options = volume.split(":")
    words = options[0].split(",") if options else []
    return (STACK / source if source.startswith(".") else Path(source)), target, words


def _walk(value: Any, environ: Mapping[str, str]) -> Any:
    match value:
        case str():
            return interpolate(value, environ)
        case list():
            return [_walk(item, environ) for item in value]
        case dict():
            return {key: _walk(item, environ) for key, item in value.items()}
        case _:
            return value
