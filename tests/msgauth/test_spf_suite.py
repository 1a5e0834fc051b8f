"""The openspf suite for RFC 7208, case by case, from its YAML."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml

from mxgw.msgauth.spf import check_spf
from tests.rig.zone import Zone

SUITE = Path(__file__).parents[2].parent / "shared" / "testdata" / "spf" / "rfc7208-tests.yml"
ABSENT = f"the openspf suite is not here: put {SUITE.name} into shared/testdata/spf beside the checkout"
TYPES = ("TXT", "A", "AAAA", "MX", "PTR", "CNAME")


def read_zone(data: dict[str, list[Any]]) -> Zone:
    """The suite's zone data: SPF stands for TXT unless TXT is there; TIMEOUT is for what is not listed."""
    zone = Zone()
    for name, entries in data.items():
        records: dict[str, list[Any]] = {}
        for entry in entries:
            if isinstance(entry, dict):
                ((kind, value),) = entry.items()
                records.setdefault(kind, []).append(tuple(value) if kind == "MX" else value)
        records.setdefault("TXT", records.get("SPF", []))
        records.pop("SPF", None)
        records = {kind: [] if values == ["NONE"] else values for kind, values in records.items()}
        zone.put(name, records)
        if "TIMEOUT" in entries:
            for kind in TYPES:
                if not records.get(kind):
                    zone.fail(f"{kind} {name}")
    return zone


def cases() -> list[Any]:
    if not SUITE.exists():
        return [pytest.param({}, {}, id="absent", marks=pytest.mark.skip(reason=ABSENT))]
    return [
        pytest.param(section["zonedata"], case, id=name)
        for section in yaml.safe_load_all(SUITE.read_text(encoding="utf-8"))
        for name, case in section["tests"].items()
    ]


@pytest.mark.parametrize(("zonedata", "case"), cases())
async def test_a_case_of_the_openspf_suite_ends_as_it_says(
    zonedata: dict[str, list[Any]], case: dict[str, Any]
) -> None:
    expected = case["result"] if isinstance(case["result"], list) else [case["result"]]

    found = await check_spf(
        read_zone(zonedata),
        address=ip_address(case["host"]),
        helo=case["helo"],
        mail_from=case["mailfrom"] or "",
    )

    assert found.result in expected
    if "explanation" in case:
        assert (found.explanation or "DEFAULT") == case["explanation"]


@pytest.mark.skipif(not SUITE.exists(), reason=ABSENT)
def test_the_suite_is_whole() -> None:
    assert len(cases()) == 203
