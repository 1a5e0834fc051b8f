"""A report goes where its domain says, if whoever gets it there has agreed (RFC 9990 section 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.reports.destinations import (
    MAX_DESTINATIONS,
    Destination,
    check_all,
    checked,
    destinations,
    mail_address,
)
from tests.rig.zone import Records, Zone

RED = "blue.example.com._report._dmarc.red.example.net"
POLICIES: dict[str, Records] = {
    "_dmarc.example.com": {"TXT": ["v=DMARC1; p=none"]},
    "_dmarc.blue.example.com": {"TXT": ["v=DMARC1; p=reject; rua=mailto:reports@red.example.net"]},
    "_dmarc.example.net": {"TXT": ["v=DMARC1; p=none"]},
}


async def ask(zone: Zone, *rua: str, domain: str = "blue.example.com") -> list[tuple[str, str]]:
    found = await checked(zone, domain, rua)
    return [(place.address, place.standing.value) for place in found]


def zone(*records: str) -> Zone:
    return Zone({**POLICIES, RED: {"TXT": list(records)}} if records else POLICIES)


@pytest.mark.parametrize(
    "record",
    ["v=DMARC1", "v=DMARC1;", "v = DMARC1 ; ", "v=DMARC1; p=none; rua=mailto:reports@red.example.net"],
)
async def test_the_example_of_the_rfc_is_confirmed_by_a_record(record: str) -> None:
    place = zone(record)

    assert await ask(place, "mailto:reports@red.example.net") == [("reports@red.example.net", "agreed")]
    assert f"TXT {RED}" in place.asked


async def test_a_receiver_for_everybody_answers_by_any_name() -> None:
    place = Zone({**POLICIES, RED: {"CNAME": ["all.example.net"]}, "all.example.net": {"TXT": ["v=DMARC1"]}})

    assert await ask(place, "mailto:reports@red.example.net") == [("reports@red.example.net", "agreed")]


@pytest.mark.parametrize("record", ["v=DMARC2", "p=none; v=DMARC1", "v=DMARC10", "", "V=dmarc1"])
async def test_a_record_of_another_kind_confirms_nothing(record: str) -> None:
    assert await ask(zone(record), "mailto:reports@red.example.net") == [
        ("reports@red.example.net", "not-agreed")
    ]


async def test_no_record_is_no_agreement() -> None:
    assert await ask(zone(), "mailto:victim@red.example.net") == [("victim@red.example.net", "not-agreed")]


async def test_the_receiver_may_name_another_address_of_its_own() -> None:
    place = zone("v=DMARC1; rua=mailto:new@red.example.net!10m,mailto:two@red.example.net")

    assert await ask(place, "mailto:reports@red.example.net") == [
        ("new@red.example.net", "agreed"),
        ("two@red.example.net", "agreed"),
    ]


@pytest.mark.parametrize("rua", ["mailto:x@victim.example", "https://red.example.net/", "mailto:x"])
async def test_a_receiver_that_names_a_third_gets_nothing_and_neither_does_the_third(rua: str) -> None:
    assert await ask(zone(f"v=DMARC1; rua={rua}"), "mailto:reports@red.example.net") == [
        ("reports@red.example.net", "not-agreed")
    ]


async def test_trouble_with_dns_is_not_a_no() -> None:
    place = zone("v=DMARC1")
    place.fail(RED)

    assert await ask(place, "mailto:reports@red.example.net") == [
        ("reports@red.example.net", "temporary-failure")
    ]


async def test_trouble_with_finding_the_organization_is_not_a_no() -> None:
    place = zone()
    place.fail("_dmarc.example.net")

    assert await ask(place, "mailto:reports@red.example.net") == [
        ("reports@red.example.net", "temporary-failure")
    ]


async def test_within_one_organization_nobody_needs_to_agree() -> None:
    place = zone()

    found = await ask(
        place, "mailto:a@blue.example.com", "mailto:b@mail.blue.example.com", "mailto:c@example.com",
        "mailto:d@green.example.com",
    )  # fmt: skip

    assert {standing for _, standing in found} == {"own"}
    assert not [question for question in place.asked if "_report" in question]


async def test_without_dns_what_is_elsewhere_is_not_used() -> None:
    found = destinations(
        "example.com", ["mailto:d@example.com", "mailto:d@notexample.com", "https://x.example/"]
    )

    assert [(place.standing.value, place.usable) for place in found] == [
        ("own", True),
        ("unchecked", False),
        ("unusable", False),
    ]


async def test_a_name_that_dns_cannot_hold_confirms_nothing() -> None:
    domain = ".".join(["a" * 60] * 4)

    assert await ask(Zone(), "mailto:x@red.example.net", domain=domain) == [
        ("x@red.example.net", "not-agreed")
    ]


async def test_a_long_list_is_cut_and_every_place_is_named_once() -> None:
    rua = [f"mailto:{number}@example.com" for number in range(100)]

    assert len(destinations("example.com", rua)) == MAX_DESTINATIONS
    assert len(await ask(Zone(), "mailto:a@example.com", "MAILTO:a@EXAMPLE.com", domain="example.com")) == 1


async def test_many_domains_are_asked_for_together() -> None:
    wanted = [(f"d{number}.example", ["mailto:x@red.example.net"]) for number in range(50)]
    place = Zone(
        {f"d{number}.example._report._dmarc.red.example.net": {"TXT": ["v=DMARC1"]} for number in range(25)}
    )

    found = await check_all(place, wanted)

    assert [places[0].standing.value for places in found] == ["agreed"] * 25 + ["not-agreed"] * 25


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("mailto:d@example.com", "d@example.com"),
        ("MailTo:D.x+y@EXAMPLE.com!50m", "D.x+y@example.com"),
        ("mailto:d%2Be@b%C3%BCcher.example", "d+e@xn--bcher-kva.example"),
        ("https://example.com/dmarc", ""),
        ("mailto:", ""),
        ("mailto:d@", ""),
        ("mailto:@example.com", ""),
        ("mailto:a@example.com,b@example.net", ""),
        ("mailto:a@example.com?bcc=victim@example.net", ""),
        ("mailto:a%0D%0ABcc:x@example.com", ""),
        ('mailto:"a b"@example.com', ""),
        ("mailto:a@-x`id`.example", ""),
        ("mailto:-oQ/tmp@example.com", "-oQ/tmp@example.com"),
    ],
)
def test_an_address_is_a_plain_one_or_none(uri: str, address: str) -> None:
    assert mail_address(uri) == address


@given(st.text(max_size=100))
def test_no_text_makes_an_address_that_could_end_a_field(text: str) -> None:
    address = mail_address(f"mailto:{text}")

    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' "<>,;:\\()')


def test_a_destination_knows_its_host() -> None:
    (place,) = destinations("example.com", ["mailto:d@mail.example.com"])

    assert isinstance(place, Destination)
    assert place.host == "mail.example.com"
