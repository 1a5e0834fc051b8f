"""cfn-lint finds nothing, with every rule on."""

from __future__ import annotations

from pathlib import Path

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from tests.ecs.template_reading import BASE, SERVICE

REGIONS = ["ap-northeast-1", "ap-northeast-3", "us-east-1", "eu-west-1"]


@pytest.mark.parametrize("template", [BASE, SERVICE], ids=lambda path: path.name)
def test_the_linter_has_nothing_to_say(template: Path) -> None:
    # "I" also takes in what the linter only remarks upon.
    config = ManualArgs(regions=REGIONS, include_checks=["I"])

    assert [str(match) for match in lint_file(template, config)] == []


@pytest.mark.parametrize("template", [BASE, SERVICE], ids=lambda path: path.name)
def test_no_rule_is_switched_off_within_a_template(template: Path) -> None:
    text = template.read_text("utf-8")

    assert "cfn-lint" not in text
    assert not list(template.parent.glob(".cfnlintrc*"))


@pytest.mark.parametrize("template", [BASE, SERVICE], ids=lambda path: path.name)
def test_a_template_can_be_sent_without_a_bucket(template: Path) -> None:
    # CreateStack and CreateChangeSet take at most 51,200 octets in the request itself.
    assert len(template.read_bytes()) <= 51_200
