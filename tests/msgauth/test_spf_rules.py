"""What the RFC leaves to us, and its limits at their edges."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import Identity, SpfResult, SpfStep, StepKind, check_spf, check_spf_helo
from mxgw.msgauth.spf_macros import MAX_DOMAIN_OCTETS, BadSyntax, Macro, expand_domain, parse_domain_spec
from mxgw.msgauth.spf_record import MAX_RECORD_OCTETS, parse_record
from tests.rig.zone import Zone

CLIENT = "192.0.2.1"
CLIENT_6 = "2001:db8::1"


async def check(
    zone: Zone | dict[str, Any], mail_from: str = "taro@example.com", address: str = CLIENT, **options: Any
) -> SpfResult:
    zone = zone if isinstance(zone, Zone) else Zone(zone)
    return await check_spf(
        zone, address=ip_address(address), helo="mail.example.com", mail_from=mail_from, **options
    )


async def verdict(record: str, others: dict[str, Any] | None = None, address: str = CLIENT) -> str:
    return (await check({"example.com": {"TXT": [record]}, **(others or {})}, address=address)).result


# What a result tells.


async def test_a_result_tells_what_matched_and_what_it_cost() -> None:
    zone = {"example.com": {"TXT": ["v=spf1 a -mx ip4:192.0.2.0/24 -all"], "A": ["198.51.100.1"]}}

    assert await check(zone, "taro@Example.COM.") == SpfResult(
        Result.PASS, Identity.MAIL_FROM, "example.com", term="ip4:192.0.2.0/24", questions=3
    )


@pytest.mark.parametrize(
    ("zone", "result", "problem"),
    [
        ({}, Result.NONE, "no SPF record"),
        (
            {"example.com": {"TXT": ["v=spf1 a", "v=spf1 mx"]}},
            Result.PERMERROR,
            "2 SPF records at example.com",
        ),
        (
            {"example.com": {"TXT": ["v=spf1 ip4:1.2.3"]}},
            Result.PERMERROR,
            "record of example.com: not an address: ip4:1.2.3",
        ),
        (
            {"example.com": {"TXT": ["v=spf1 include:none.example"]}},
            Result.PERMERROR,
            "include of a domain without SPF record: none.example",
        ),
        (
            {"example.com": {"TXT": ["v=spf1 redirect=none.example"]}},
            Result.PERMERROR,
            "redirect to a domain without SPF record: none.example",
        ),
        (
            Zone({"example.com": {"TXT": ["v=spf1 a:dead.example"]}}, failing={"dead.example"}),
            Result.TEMPERROR,
            "no answer from DNS: A dead.example",
        ),
        (Zone(failing={"example.com"}), Result.TEMPERROR, "no answer from DNS: TXT example.com"),
    ],
)
async def test_a_problem_has_a_reason(zone: Any, result: Result, problem: str) -> None:
    found = await check(zone)

    assert (found.result, found.problem) == (result, problem)


async def test_the_null_reverse_path_is_postmaster_at_helo() -> None:
    zone = {
        "mail.example.com": {"TXT": ["v=spf1 exists:%{l}.%{o} -all"]},
        "postmaster.mail.example.com": {"A": [CLIENT]},
    }

    found = await check(zone, "")

    assert (found.result, found.identity, found.domain) == (
        Result.PASS,
        Identity.MAIL_FROM,
        "mail.example.com",
    )


async def test_helo_is_an_identity_of_its_own() -> None:
    zone = Zone({"mail.example.com": {"TXT": ["v=spf1 a -all"], "A": [CLIENT]}})

    found = await check_spf_helo(zone, address=ip_address(CLIENT), helo="mail.example.com")

    assert found == SpfResult(Result.PASS, Identity.HELO, "mail.example.com", term="a", questions=2)


@pytest.mark.parametrize(
    "helo", ["localhost", "[192.0.2.1]", "192.0.2.1", "", "a..b", "x" * 300 + ".example"]
)
async def test_a_helo_that_is_no_domain_is_not_asked_for(helo: str) -> None:
    zone = Zone()

    found = await check_spf_helo(zone, address=ip_address(CLIENT), helo=helo)

    assert (found.result, found.domain, zone.questions) == (Result.NONE, "", 0)


async def test_an_ipv4_mapped_client_is_an_ipv4_client() -> None:
    assert await verdict("v=spf1 ip4:192.0.2.1 -all", address=f"::ffff:{CLIENT}") == "pass"


async def test_a_u_label_is_asked_for_as_an_a_label_also_in_macros() -> None:
    zone = Zone(
        {
            "xn--bcher-kva.example": {"TXT": ["v=spf1 exists:ok.%{o} -all"]},
            "ok.xn--bcher-kva.example": {"A": ["127.0.0.2"]},
        }
    )

    found = await check(zone, "taro@Bücher.example")

    assert (found.result, found.domain) == (Result.PASS, "xn--bcher-kva.example")


@pytest.mark.parametrize("spec", ["exists:%{l}.example.com", "include:%{s}", "a:%{l}.x.example.com"])
async def test_a_local_part_that_is_not_ascii_matches_no_macro(spec: str) -> None:
    zone = Zone(
        {"example.com": {"TXT": [f"v=spf1 {spec} -all"]}, "xn--bcher-kva.example.com": {"A": [CLIENT]}}
    )

    assert (await check(zone, "bücher@example.com")).result == "fail"
    assert zone.asked == ["TXT example.com"]


# Limits.


@pytest.mark.parametrize(("terms", "result"), [(10, "pass"), (11, "permerror")])
async def test_ten_terms_may_ask_dns(terms: int, result: str) -> None:
    record = "v=spf1 " + "a:other.example " * terms + "all"

    assert await verdict(record, {"other.example": {"A": ["198.51.100.1"]}}) == result


async def test_terms_are_counted_across_includes_and_redirects() -> None:
    chain = {f"n{number}.example": {"TXT": [f"v=spf1 include:n{number + 1}.example"]} for number in range(9)}
    inner = {"n9.example": {"TXT": ["v=spf1 redirect=last.example"]}, "last.example": {"TXT": ["v=spf1 all"]}}

    assert await verdict("v=spf1 redirect=n1.example", chain | inner) == "pass"
    assert await verdict("v=spf1 redirect=n0.example", chain | inner) == "permerror"


@pytest.mark.parametrize(
    "record", ["v=spf1 include:example.com", "v=spf1 redirect=example.com", "v=spf1 include:%{d} -all"]
)
async def test_a_circle_ends(record: str) -> None:
    assert await verdict(record) == "permerror"


@pytest.mark.parametrize(("voids", "result"), [(2, "pass"), (3, "permerror")])
async def test_two_look_ups_may_find_nothing(voids: int, result: str) -> None:
    terms = ["a:v0.example", "mx:v1.example", "exists:v2.example"][:voids]

    assert await verdict(" ".join(["v=spf1", *terms, "all"])) == result


async def test_hosts_without_an_address_of_the_clients_family_are_no_void_look_ups() -> None:
    hosts = [f"mx{number}.example.com" for number in range(5)]
    others: dict[str, Any] = {host: {"A": ["192.0.2.9"]} for host in hosts}
    others["mail.example.net"] = {"MX": [(10, host) for host in hosts]}

    assert await verdict("v=spf1 mx:mail.example.net ip6:2001:db8::/32 -all", others, CLIENT_6) == "pass"


@pytest.mark.parametrize(("hosts", "result"), [(10, "pass"), (11, "permerror")])
async def test_ten_mx_hosts_are_asked_for(hosts: int, result: str) -> None:
    names = [f"mx{number}.example" for number in range(hosts)]
    others: dict[str, Any] = {name: {"A": ["198.51.100.1"]} for name in names} | {
        "mx9.example": {"A": [CLIENT]}
    }
    others["many.example"] = {"MX": [(10, name) for name in names]}

    assert await verdict("v=spf1 mx:many.example -all", others) == result


async def test_of_a_null_mx_nothing_is_asked() -> None:
    assert await verdict("v=spf1 mx:null.example -all", {"null.example": {"MX": [(0, ".")]}}) == "fail"


@pytest.mark.parametrize(("place", "result"), [(9, "pass"), (10, "fail")])
async def test_ten_names_of_the_client_are_looked_at(place: int, result: str) -> None:
    names = [f"n{number}.other.example" for number in range(12)]
    names[place] = "mail.example.com"
    others = {CLIENT: {"PTR": names}, "mail.example.com": {"A": [CLIENT]}}

    assert await verdict("v=spf1 ptr -all", others) == result


async def test_only_names_below_the_target_are_confirmed() -> None:
    zone = Zone(
        {
            "example.com": {"TXT": ["v=spf1 ptr ptr -all"]},
            CLIENT: {"PTR": ["a.example.org", "liar.example.com"]},
        }
    )

    assert (await check(zone)).result == "fail"
    assert zone.asked == ["TXT example.com", "PTR 1.2.0.192.in-addr.arpa", "A liar.example.com"]


async def test_the_whole_record_is_read_before_a_term_is_tried() -> None:
    assert await verdict("v=spf1 all ip4:1.2.3.4.5") == "permerror"


async def test_a_record_beyond_our_bound_is_a_permerror() -> None:
    fitting = "v=spf1 all" + " " * (MAX_RECORD_OCTETS - 10)

    assert await verdict(fitting) == "pass"
    assert await verdict(fitting + " ") == "permerror"


# Macros.


@pytest.mark.parametrize(
    "text", ["%{d0}.example", "%{d00}.example", "%{d", "%", "%z.example", "example", "a.1", "a.b-"]
)
def test_a_domain_that_the_grammar_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(BadSyntax):
        parse_domain_spec(text)


@pytest.mark.parametrize(
    "text", ["a.b", "a.b.", "a.1-2", "%{d}", "a%%", "a%_", "-._.x9", "%{l1R-+}.a.b", "a/b.c"]
)
def test_a_domain_that_the_grammar_knows_is_taken(text: str) -> None:
    assert parse_domain_spec(text)


def test_a_number_of_parts_beyond_reason_means_all() -> None:
    parts = parse_domain_spec("%{d" + "9" * 5000 + "}")

    assert parts == (Macro("d", keep=999999),)
    assert expand_domain(parts, {"d": "example.com"}) == "example.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 67 + ".%{d}", "a" * 67 + "." + ".".join(["l" * 61] * 3)),
        ("a" * 68 + ".%{d}", ".".join(["l" * 61] * 3)),
        ("%{d}.%{d}.b.example.", ".".join(["l" * 61] * 3) + ".b.example"),
    ],
)
def test_a_long_name_loses_labels_on_its_left(text: str, expected: str) -> None:
    name = expand_domain(parse_domain_spec(text), {"d": ".".join(["l" * 61] * 3)})

    assert name == expected
    assert len(name) <= MAX_DOMAIN_OCTETS


async def test_the_validated_name_is_the_domain_or_one_below_it_or_any() -> None:
    others: dict[str, Any] = {
        name: {"A": [CLIENT]} for name in ("x.other.example", "b.example.com", "example.com")
    }
    for names, expected in (
        (["x.other.example", "b.example.com", "example.com"], "example.com"),
        (["x.other.example", "b.example.com"], "b.example.com"),
        (["x.other.example"], "x.other.example"),
        (["liar.example.com"], "unknown"),
        ([], "unknown"),
    ):
        zone = Zone(others | {CLIENT: {"PTR": names}})
        zone.put("example.com", {"TXT": ["v=spf1 exists:%{p}.seen.example -all"]})
        await check(zone)
        assert zone.asked[-1] == f"A {expected}.seen.example"


# Explanations.


async def explained(text: str | bytes, mail_from: str = "taro@example.com") -> str:
    zone = {
        "example.com": {"TXT": ["v=spf1 exp=why.example.com -all"]},
        "why.example.com": {"TXT": [text]},
    }
    return (await check(zone, mail_from, clock=lambda: 1234.5, receiver="mx.example.jp")).explanation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%{i} may not send for %{d}.", "192.0.2.1 may not send for example.com."),
        ("See http://x.example/?s=%{S}", "See http://x.example/?s=taro%40example.com"),
        ("%{c} %{r} %{t}", "192.0.2.1 mx.example.jp 1234"),
        ("%%%_%-", "% %20"),
        ("x" * 500, "x" * 200),
        ("%{s}" * 10_000, ("taro@example.com" * 20)[:200]),
        ("not ASCII: ü", ""),
        (b"bell \x07", ""),
        ("line\r\n550 5.7.1 forged", ""),
        ("open %{s", ""),
        ("%{x}", ""),
        ("", ""),
    ],
)
async def test_an_explanation_is_short_printable_ascii_or_nothing(text: str | bytes, words: str) -> None:
    assert await explained(text) == words


async def test_octets_of_the_sender_do_not_break_an_explanation() -> None:
    assert await explained("%{s} may not", 't\r\n250 "ü@example.com') == 't??250 "?@example.com may not'


@pytest.mark.parametrize("problem", ["none.example", "two.example", "dead.example"])
async def test_an_explanation_that_cannot_be_had_changes_nothing(problem: str) -> None:
    zone = Zone(
        {"example.com": {"TXT": [f"v=spf1 exp={problem} -all"]}, "two.example": {"TXT": ["a", "b"]}},
        failing={"dead.example"},
    )

    found = await check(zone)

    assert (found.result, found.explanation) == (Result.FAIL, "")


async def test_the_words_of_an_included_domain_are_not_ours_to_say_but_those_of_a_redirect_are() -> None:
    inner = {
        "inner.example": {"TXT": ["v=spf1 -all exp=why.example"]},
        "why.example": {"TXT": ["inner words"]},
    }
    included = {"example.com": {"TXT": ["v=spf1 include:inner.example -all"]}}
    redirected = {"example.com": {"TXT": ["v=spf1 redirect=inner.example"]}}

    assert (await check(inner | included)).explanation == ""
    assert (await check(inner | redirected)).explanation == "inner words"


# Steps.


async def test_steps_tell_what_was_asked_and_tried() -> None:
    zone = {
        "example.com": {"TXT": ["v=spf1 mx include:inner.example ~all"], "MX": [(10, "mx.example.com")]},
        "mx.example.com": {"A": ["198.51.100.1"]},
        "inner.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    }
    steps: list[SpfStep] = []

    await check(zone, steps=steps)

    assert [(step.kind, step.depth, step.domain, step.subject, step.outcome) for step in steps] == [
        (StepKind.QUESTION, 0, "example.com", "TXT example.com", "v=spf1 mx include:inner.example ~all"),
        (StepKind.QUESTION, 0, "example.com", "MX example.com", "mx.example.com"),
        (StepKind.QUESTION, 0, "example.com", "A mx.example.com", "198.51.100.1"),
        (StepKind.TERM, 0, "example.com", "mx", "no match"),
        (StepKind.QUESTION, 1, "inner.example", "TXT inner.example", "v=spf1 ip4:192.0.2.0/24 -all"),
        (StepKind.TERM, 1, "inner.example", "ip4:192.0.2.0/24", "pass"),
        (StepKind.TERM, 0, "example.com", "include:inner.example", "pass"),
    ]


async def test_steps_end_where_the_check_ended() -> None:
    steps: list[SpfStep] = []
    zone = Zone({"example.com": {"TXT": ["v=spf1 a:dead.example all"]}}, failing={"dead.example"})

    await check(zone, steps=steps)

    assert [(step.subject, step.outcome) for step in steps[1:]] == [
        ("A dead.example", "temporary-failure"),
        ("a:dead.example", "temperror"),
    ]


def test_modifiers_that_nobody_knows_may_come_again_and_anywhere() -> None:
    assert parse_record(b"v=spf1 x=a x=b mx moo.cow-far_out=%{t} all").redirect is None


@pytest.mark.parametrize(
    "record", [b"v=spf1 exp=a.b exp=c.d", b"v=spf1 redirect=a.b redirect=a.b", b"v=spf1 x=%x"]
)
def test_redirect_and_exp_come_once_and_all_modifiers_have_a_syntax(record: bytes) -> None:
    with pytest.raises(BadSyntax):
        parse_record(record)
