"""What changes in a zone, and what of it is somebody else's; the edge's list keeps its form."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from mxgw.admin.cloud.cloudflare import Held, quoted, unquoted
from mxgw.admin.cloud.edge_domains import domains_in, with_domain, without_domain
from mxgw.admin.cloud.record_plan import Change, Step, plan, with_sendgrid
from mxgw.admin.dns_records import Exchanger, Kind, Purpose, Signed, wanted_records
from mxgw.admin.refusal import Refused

DOMAIN = "example.jp"
EDGE = Exchanger("mx.example.jp", (IPv4Address("203.0.114.1"), IPv4Address("203.0.114.2")))
SIGNED = [
    Signed(Purpose.DKIM, Kind.CNAME, "s1._domainkey.example.jp", "s1.domainkey.u1.wl1.sendgrid.net"),
    Signed(Purpose.RETURN_PATH, Kind.CNAME, "em1.example.jp", "u1.wl1.sendgrid.net"),
]


def held(kind: str, name: str, content: str, **more: object) -> Held:
    return Held(f"{kind} {name} {content}", kind, name, content, **more)  # type: ignore[arg-type]


def planned(*there: Held, signed: bool = True) -> dict[Purpose, list[Change]]:
    wanted = wanted_records(
        DOMAIN, EDGE, reports="postmaster@example.jp", now=0.0, signed=SIGNED if signed else ()
    )
    found: dict[Purpose, list[Change]] = {}
    for change in plan(DOMAIN, wanted, there):
        found.setdefault(change.purpose, []).append(change)
    return found


def only(changes: list[Change]) -> Change:
    (one,) = changes
    return one


def test_in_an_empty_zone_all_that_is_known_is_new() -> None:
    found = planned()

    steps = {purpose: {change.step for change in changes} for purpose, changes in found.items()}
    assert steps.pop(Purpose.MTA_STS) == {Step.BY_HAND}
    assert steps.pop(Purpose.MTA_STS_HOST) == {Step.BY_HAND}
    assert set(map(frozenset, steps.values())) == {frozenset({Step.CREATE})}
    assert [change.put.name for change in found[Purpose.MX_ADDRESS]] == ["mx.example.jp"] * 2


def test_what_is_planned_is_kept_the_next_time() -> None:
    first = [change.put for changes in planned().values() for change in changes]
    there = [
        Held(str(number), put.kind, put.name, put.content.lower() if put.kind != "TXT" else put.content)
        for number, put in enumerate(first)
        if "<" not in put.content
    ]

    again = planned(*there)

    assert {change.step for changes in again.values() for change in changes} <= {Step.KEEP, Step.BY_HAND}


def test_without_sendgrids_word_its_records_are_for_people() -> None:
    found = planned(signed=False)

    assert {change.step for change in found[Purpose.DKIM]} == {Step.BY_HAND}


def test_another_providers_mx_is_lost_only_by_a_word_of_its_own() -> None:
    google = [held("MX", DOMAIN, "aspmx.l.google.com", preference=1), held("MX", DOMAIN, "alt1.google.com")]

    change = only(planned(*google)[Purpose.MX])
    beside = only(planned(held("MX", DOMAIN, "mx.example.jp"), *google)[Purpose.MX])

    assert (change.step, change.why) == (Step.REPLACE, "plan-other-exchanger")
    assert set(change.lost) == set(google)
    assert beside.step is Step.REPLACE
    assert set(beside.drop) == set(google)


def test_a_mistake_of_our_own_is_ours_to_mend() -> None:
    old = held("CNAME", "em1.example.jp", "u9.wl9.sendgrid.net", ours=True)
    theirs = held("CNAME", "em1.example.jp", "shops.example.net")

    assert only(planned(old)[Purpose.RETURN_PATH]).step is Step.CHANGE
    assert only(planned(theirs)[Purpose.RETURN_PATH]).step is Step.REPLACE


def test_the_proxy_is_switched_off_where_mail_goes() -> None:
    proxied = held("A", "mx.example.jp", "203.0.114.1", proxied=True)

    first, second = planned(proxied)[Purpose.MX_ADDRESS]

    assert (first.step, first.why, first.change) == (Step.CHANGE, "plan-proxied", proxied)
    assert second.step is Step.CREATE


def test_addresses_take_the_place_of_others_one_by_one() -> None:
    strangers = [held("A", "mx.example.jp", f"198.51.100.{number}") for number in (1, 2)]

    changes = planned(*strangers)[Purpose.MX_ADDRESS]

    assert [change.step for change in changes] == [Step.REPLACE] * 2
    assert {change.change for change in changes} == set(strangers)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("v=spf1 -all", "v=spf1 include:sendgrid.net -all"),
        ("v=spf1 include:_spf.google.com ~all", "v=spf1 include:_spf.google.com include:sendgrid.net ~all"),
        ("v=spf1 mx", "v=spf1 mx include:sendgrid.net ~all"),
        ("v=spf1 redirect=x.example", "v=spf1 redirect=x.example include:sendgrid.net"),
        ("v=spf1 include:small.example all", "v=spf1 include:small.example include:sendgrid.net all"),
    ],
)
def test_sendgrid_is_added_to_who_may_send_already(before: str, after: str) -> None:
    assert with_sendgrid(before) == after
    change = only(planned(held("TXT", DOMAIN, before), held("TXT", DOMAIN, "site=1"))[Purpose.SPF])
    assert (change.step, change.put.content) == (Step.CHANGE, after)


def test_several_spf_records_are_for_people() -> None:
    there = [held("TXT", DOMAIN, "v=spf1 -all"), held("TXT", DOMAIN, "v=spf1 mx -all")]

    assert only(planned(*there)[Purpose.SPF]).step is Step.BY_HAND


def test_a_policy_that_somebody_chose_stays() -> None:
    found = planned(
        held("TXT", "_dmarc.example.jp", "v=DMARC1; p=reject"),
        held("CNAME", "mta-sts.example.jp", "pages.example.net", proxied=True),
    )

    assert only(found[Purpose.DMARC]).step is Step.KEEP
    assert only(found[Purpose.MTA_STS_HOST]).step is Step.KEEP
    assert only(found[Purpose.MTA_STS]).step is Step.CREATE


def test_an_alias_in_the_way_is_named() -> None:
    change = only(planned(held("CNAME", "_dmarc.example.jp", "dmarc.example.net"))[Purpose.DMARC])

    assert (change.step, change.why) == (Step.REPLACE, "plan-alias-in-the-way")
    assert [one.kind for one in change.drop] == ["CNAME"]


@pytest.mark.parametrize("text", ["v=spf1 -all", 'with "quotes" and \\', "x" * 600, ""])
def test_a_text_survives_its_quotes(text: str) -> None:
    assert unquoted(quoted(text)) == text
    assert unquoted("v=spf1 -all") == "v=spf1 -all"


# -- the edge's list ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("example.jp", "example.jp,shop.example"),
        ("example.jp , example.com", "example.jp,example.com,shop.example"),
        ("# ours\nexample.jp # first\n", "# ours\nexample.jp # first\nshop.example\n"),
        ("example.jp,SHOP.example", "example.jp,SHOP.example"),
    ],
)
def test_a_domain_is_added_in_the_form_of_the_list(before: str, after: str) -> None:
    assert with_domain(before, "shop.example") == after
    assert "shop.example" in domains_in(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("example.jp,shop.example", "example.jp"),
        ("example.jp, Shop.example,example.com", "example.jp,example.com"),
        ("example.jp\nshop.example\n# end\n", "example.jp\n# end\n"),
        ("example.jp\nshop.example # a shop\n", "example.jp\n # a shop\n"),
        ("example.jp", "example.jp"),
    ],
)
def test_a_domain_is_taken_out_and_the_rest_stays(before: str, after: str) -> None:
    assert without_domain(before, "shop.example") == after


def test_the_last_domain_stays() -> None:
    with pytest.raises(Refused) as refused:
        without_domain("shop.example", "shop.example")

    assert refused.value.key == "edge-last-domain"
