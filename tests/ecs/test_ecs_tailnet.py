"""The policy of the tailnet: the edge's tag reaches the door at home, and nobody is let in by accident."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.dell.cells import site
from tests.dell.compose_file import read_compose
from tests.ecs.deployment import SERVICE_PARAMETERS
from tests.ecs.template_reading import SERVICE, TEMPLATES, read

HOME_TAG = "tag:mailserver"
HOME_PORT = SERVICE_PARAMETERS["HomeAddress"].rpartition(":")[2]
EDGE_TAG = read(SERVICE)["Parameters"]["TailscaleTag"]["Default"]


@pytest.fixture(scope="module")
def policy() -> dict[str, Any]:
    """HuJSON: JSON with comments, and with commas behind the last of a list."""
    text = (TEMPLATES / "tailnet-policy.hujson").read_text("utf-8")
    without_comments = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda match: match[1] or "", text)
    return dict(json.loads(re.sub(r",(\s*[\]}])", r"\1", without_comments)))


def reached(policy: dict[str, Any], source: str, destination: str) -> set[str]:
    """The ports that the grants open, "*" for all."""
    return {
        ports
        for grant in policy["grants"]
        if {source, "*"} & set(grant["src"]) and {destination, "*"} & set(grant["dst"])
        for ports in grant["ip"]
    }


def test_the_edge_reaches_the_door_at_home_and_nothing_else(policy: dict[str, Any]) -> None:
    assert reached(policy, EDGE_TAG, HOME_TAG) == {f"tcp:{HOME_PORT}"}
    destinations = {where for grant in policy["grants"] if EDGE_TAG in grant["src"] for where in grant["dst"]}
    assert destinations == {HOME_TAG}


def test_home_and_everybody_else_do_not_reach_the_edge(policy: dict[str, Any]) -> None:
    assert [grant for grant in policy["grants"] if {EDGE_TAG, "*"} & set(grant["dst"])] == []
    assert [
        grant for grant in policy["grants"] if {HOME_TAG, "*", "autogroup:tagged"} & set(grant["src"])
    ] == []


def test_the_household_reaches_what_home_offers_it(policy: dict[str, Any], tmp_path: Path) -> None:
    services = read_compose(site(tmp_path))["services"]
    offered = {
        f"tcp:{str(port).rpartition(':')[2]}"
        for service in services.values()
        for port in service.get("ports", [])
    }

    assert reached(policy, "autogroup:member", HOME_TAG) == offered - {f"tcp:{HOME_PORT}"}


def test_the_admin_is_not_locked_out(policy: dict[str, Any]) -> None:
    assert reached(policy, "autogroup:admin", HOME_TAG) == {"*"}


def test_both_tags_are_given_by_admins_alone(policy: dict[str, Any]) -> None:
    assert policy["tagOwners"] == {EDGE_TAG: ["autogroup:admin"], HOME_TAG: ["autogroup:admin"]}


def test_its_own_tests_say_the_same(policy: dict[str, Any]) -> None:
    by_source = {test["src"]: test for test in policy["tests"]}

    assert by_source[EDGE_TAG]["accept"] == [f"{HOME_TAG}:{HOME_PORT}"]
    assert f"{HOME_TAG}:22" in by_source[EDGE_TAG]["deny"]
    for test in policy["tests"]:
        for refused in test["deny"]:
            destination, _, port = refused.rpartition(":")
            assert not {"*", f"tcp:{port}"} & reached(policy, test["src"], destination), refused


def test_the_home_address_of_the_template_may_have_that_port() -> None:
    pattern = read(SERVICE)["Parameters"]["HomeAddress"]["AllowedPattern"]

    assert re.fullmatch(pattern, f"lmtp://100.64.0.10:{HOME_PORT}")
