"""ecs/README.md tells the truth about the templates: parameters, alarms, metrics, and sums of money."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from mxgw.observe.emf import COUNTERS, GAUGE_UNITS, Unit
from tests.ecs.alarm_checks import metrics_written_by_the_program
from tests.ecs.deployment import deployments
from tests.ecs.mutations import Mutation
from tests.ecs.readme_tables import alarms_table, parameters_table
from tests.ecs.template_reading import BASE, SERVICE, TEMPLATES, read
from tests.ecs.test_ecs_mutations import MUTATIONS

README = (TEMPLATES / "README.md").read_text("utf-8")

EMF_UNITS = {"None", "Count", "Seconds"}


def documented_metrics() -> dict[str, str]:
    """The metrics of the README's table, with their units."""
    rows = re.findall(r"^\| `(mxgw_\w+)` \| (\w+) \|", README, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return dict(rows)


@pytest.mark.parametrize("template", [BASE, SERVICE], ids=lambda path: path.name)
def test_every_parameter_is_in_its_table(template: Path) -> None:
    assert parameters_table(read(template)) in README


def test_every_alarm_is_in_its_table() -> None:
    assert alarms_table(read(SERVICE), read(BASE)) in README


def test_the_metrics_of_the_table_are_those_that_the_templates_use() -> None:
    used = set()
    for deployment in deployments(read(BASE), read(SERVICE)):
        used |= metrics_written_by_the_program(deployment)

    assert set(documented_metrics()) == used
    assert set(documented_metrics().values()) <= EMF_UNITS


def test_the_program_writes_exactly_these_metrics_in_these_units() -> None:
    written = {counter.name: Unit.COUNT for counter in COUNTERS} | dict(GAUGE_UNITS)

    assert documented_metrics() == written


def test_the_example_of_a_line_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)

    line = json.loads(example)

    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("mxgw", [["Service"]])
    units = documented_metrics()
    for metric in directive["Metrics"]:
        assert metric["Name"] in line
        assert metric.get("Unit", "None") == units[metric["Name"]]


def test_the_sums_of_money_are_right() -> None:
    rows = re.findall(
        r"^\| [^|*]+ \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE
    )
    (totals,) = re.findall(
        r"^\| \*\*total.*\*\*([\d.]+)\*\* \|  \| \*\*([\d.]+)\*\* \|$", README, re.MULTILINE
    )
    cent = Decimal("0.01")

    for quantity, each, sum_, other_each, other_sum in rows:
        assert abs(Decimal(quantity) * Decimal(each) - Decimal(sum_)) <= cent / 2
        assert abs(Decimal(quantity) * Decimal(other_each) - Decimal(other_sum)) <= cent / 2
    assert sum(Decimal(row[2]) for row in rows) == Decimal(totals[0])
    assert sum(Decimal(row[4]) for row in rows) == Decimal(totals[1])


def test_it_counts_the_mistakes_that_are_found() -> None:
    mutations: tuple[Mutation, ...] = MUTATIONS

    assert f"{len(mutations)} written-down mistakes" in README
    assert f"{len(mutations)} 種類の誤り" in README


def test_the_outputs_it_names_are_outputs() -> None:
    named = set(re.findall(r"output (mxgw-base|mxgw-edge) (\w+)", README))

    for stack, key in named:
        template = read(BASE if stack == "mxgw-base" else SERVICE)
        assert key in template["Outputs"], key
    assert len(named) >= 8
