"""A judge of lines in CloudWatch's Embedded Metric Format, and a CloudWatch that takes the metrics out.

Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format", with its JSON schema.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

MAX_OCTETS = 16 * 1024
"""Docker's awslogs driver cuts longer lines; the specification itself allows 256 KB."""

MAX_METRICS = 100
MAX_DIMENSIONS = 30
MAX_VALUES = 100
MAX_NAME = 1024
MAX_DIMENSION_NAME = 250
MAX_DIMENSION_VALUE = 1024

_SIZES = "Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits"
_SPEEDS = "|".join(f"{size}/Second" for size in _SIZES.split("|"))
UNIT = re.compile(f"Seconds|Microseconds|Milliseconds|Count|Count/Second|Percent|None|{_SIZES}|{_SPEEDS}")


def faults(line: bytes) -> list[str]:
    """What is wrong with a line, as it leaves the program; none where CloudWatch would take all of it."""
    if not line.endswith(b"\n") or b"\n" in line[:-1]:
        return ["it is not one line"]
    if len(line) > MAX_OCTETS:
        return [f"it has {len(line)} octets"]
    try:
        root = json.loads(line, parse_constant=_no_constant)
    except ValueError as error:
        return [f"it is no JSON: {error}"]
    return [*_faults_of_root(root)]


def metrics(line: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...], str], float]:
    """What CloudWatch takes out of a line: (namespace, dimensions, name) to value."""
    assert faults(line) == []
    root = json.loads(line)
    found = {}
    for directive in root["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple((name, root[name]) for name in names)
            for metric in directive["Metrics"]:
                found[directive["Namespace"], dimensions, metric["Name"]] = root[metric["Name"]]
    return found


def sums(lines: Iterable[bytes]) -> dict[str, float]:
    """The statistic Sum of each metric over some lines."""
    total: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        for (_, _, name), value in metrics(line).items():
            total[name] += value
    return dict(total)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _faults_of_root(root: Any) -> Iterator[str]:
    match root:
        case {"_aws": {"Timestamp": int(stamp), "CloudWatchMetrics": [*directives], **more}} if not more:
            # Milliseconds: a stamp in seconds would be of January 1970.
            if not 10**12 < stamp < 10**14:
                yield f"the time stamp {stamp} is not in milliseconds"
            if not directives:
                yield "there is no directive"
            for directive in directives:
                yield from _faults_of_directive(root, directive)
        case _:
            yield "there is no _aws with Timestamp and CloudWatchMetrics alone"


def _faults_of_directive(root: dict[str, Any], directive: Any) -> Iterator[str]:
    match directive:
        case {"Namespace": str(name), "Dimensions": [_, *_] as sets, "Metrics": [*found], **more} if not more:
            if not 1 <= len(name) <= MAX_NAME:
                yield "the namespace has no name"
            for names in sets:
                yield from _faults_of_dimensions(root, names)
            if not 1 <= len(found) <= MAX_METRICS:
                yield f"there are {len(found)} metrics"
            for metric in found:
                yield from _faults_of_metric(root, metric)
            defined = [metric.get("Name") for metric in found if isinstance(metric, dict)]
            if len(set(defined)) != len(defined):
                yield "a metric is defined twice"
        case _:
            yield "a directive lacks something, or has something else"


def _faults_of_dimensions(root: dict[str, Any], names: Any) -> Iterator[str]:
    if not isinstance(names, list) or len(names) > MAX_DIMENSIONS:
        yield "a set of dimensions is none"
        return
    for name in names:
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_DIMENSION_NAME:
            yield f"{name} is no dimension"
        elif not isinstance(root.get(name), str) or not 1 <= len(root[name]) <= MAX_DIMENSION_VALUE:
            yield f"the dimension {name} has no value"


def _faults_of_metric(root: dict[str, Any], metric: Any) -> Iterator[str]:
    match metric:
        case {"Name": str(name), **more} if 1 <= len(name) <= MAX_NAME and set(more) <= {
            "Unit",
            "StorageResolution",
        }:
            if "Unit" in more and not (isinstance(more["Unit"], str) and UNIT.fullmatch(more["Unit"])):
                yield f"{name} has the unit {more['Unit']}"
            if more.get("StorageResolution", 60) not in (1, 60):
                yield f"{name} has a resolution that there is not"
            value = root.get(name)
            values = value if isinstance(value, list) else [value]
            if not 1 <= len(values) <= MAX_VALUES or not all(map(_is_number, values)):
                yield f"{name} has no number"
        case _:
            yield f"{metric} defines no metric"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
