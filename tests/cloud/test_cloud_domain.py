"""A domain is set up everywhere by one command, as far as there are keys; what fails leaves the rest done."""

from __future__ import annotations

import itertools

import pytest

from mxgw.admin.words import Language, Words
from tests.admin.admin_house import AdminHouse, Told
from tests.admin.person import Person
from tests.aws.cloud import Cloud, RefusingCloud, environment
from tests.cloud.fake_api import ADMIN_KEY, TOKEN, FakeCloudflare, FakeSendGrid
from tests.dell.household import DOMAIN

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
PARAMETER = "/mxgw-base/domains"
MX = "mx.example.jp"
PARTS = ("postmaster", "edge", "sendgrid", "cloudflare")
NUMBERS = itertools.count(1)


@pytest.fixture
def outside(
    house: AdminHouse, cloudflare: FakeCloudflare, sendgrid: FakeSendGrid, aws: Cloud
) -> dict[str, str]:
    """What .env says where every key is there."""
    with house.host.inside():
        aws.put_parameter(PARAMETER, DOMAIN)
    sendgrid.resolves = lambda host, content: cloudflare.contents(host, "CNAME") == [content]
    return {
        **aws.environment(),
        "EDGE_DOMAINS_PARAMETER": PARAMETER,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "CLOUDFLARE_API_URL": cloudflare.base,
        "SENDGRID_ADMIN_KEY": ADMIN_KEY,
        "SENDGRID_API_URL": sendgrid.base,
        "POSTMASTER_ADDRESS": f"reader@{DOMAIN}",
        "MXGW_ADMIN_MX": MX,
        "MXGW_ADMIN_MX_ADDRESSES": "203.0.114.1",
    }


@pytest.fixture
def domain() -> str:
    return f"d{next(NUMBERS)}.shop.example"


def run(house: AdminHouse, outside: dict[str, str], *arguments: str, lang: str = "en") -> Told:
    return house.admin("domain", *arguments, settings=outside, lang=lang)


def edge_list(house: AdminHouse, aws: Cloud) -> list[str]:
    with house.host.inside():
        value = aws.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    return str(value).split(",")


def person(house: AdminHouse, outside: dict[str, str], lang: str, *arguments: str) -> Person:
    environ = {**house.environ(lang=lang), **outside}
    return Person(house.at_terminal("domain", *arguments), environ)


def test_one_command_sets_up_a_domain_everywhere(
    house: AdminHouse, outside: dict[str, str], cloudflare: FakeCloudflare, aws: Cloud, domain: str
) -> None:
    told = run(house, outside, "add", domain, "--yes")

    assert told.code == 0, told.out + told.err
    states = {name: told.facts[name]["state"] for name in PARTS}
    assert set(states.values()) == {"done"}
    assert told.facts["validation"]["valid"] is True
    assert edge_list(house, aws) == [DOMAIN, domain]
    assert cloudflare.contents(domain, "MX") == [MX]
    assert cloudflare.contents(domain, "TXT") == ['"v=spf1 include:sendgrid.net ~all"']
    assert not any(it["proxied"] for it in cloudflare.records.values())
    assert house.sql("SELECT user FROM aliases WHERE address = ?", f"postmaster@{domain}").strip() == (
        f"reader@{DOMAIN}"
    )


def test_the_same_command_again_changes_nothing(
    house: AdminHouse,
    outside: dict[str, str],
    cloudflare: FakeCloudflare,
    sendgrid: FakeSendGrid,
    domain: str,
) -> None:
    assert run(house, outside, "add", domain, "--yes").code == 0
    before = dict(cloudflare.records)
    cloudflare.requests.clear()

    told = run(house, outside, "add", domain, "--yes")

    assert (told.code, told.facts["did"]) == (0, "domain-there")
    assert {told.facts[name]["state"] for name in PARTS} == {"there"}
    assert cloudflare.records == before
    assert {request.method for request in cloudflare.requests} == {"GET"}
    assert len(sendgrid.account.domains) == 1


def test_a_domain_that_goes_leaves_the_edge_and_takes_its_postmaster_along(
    house: AdminHouse, outside: dict[str, str], aws: Cloud, domain: str
) -> None:
    run(house, outside, "add", domain, "--yes")

    told = run(house, outside, "remove", domain, "--yes")
    last = run(house, {**outside, "EDGE_DOMAINS_PARAMETER": PARAMETER}, "remove", domain, "--yes")

    assert told.code == 0
    assert told.facts["edge"]["state"] == "done"
    assert edge_list(house, aws) == [DOMAIN]
    assert house.sql("SELECT COUNT(*) FROM aliases WHERE domain = ?", domain).strip() == "0"
    assert last.facts["error"] == "unknown-domain"


BROKEN = [
    ({"CLOUDFLARE_API_TOKEN": "revoked"}, "cloudflare", "api-unauthorised"),
    ({"CLOUDFLARE_API_URL": "http://127.0.0.1:1"}, "cloudflare", "api-unreachable"),
    ({"SENDGRID_ADMIN_KEY": "SG.revoked"}, "sendgrid", "api-unauthorised"),
    ({"EDGE_DOMAINS_PARAMETER": "/mxgw-base/domain"}, "edge", "aws-missing"),
    ({"AWS_REGION": "Tokyo, Japan"}, "edge", "aws-refuses"),
    ({"AWS_SECRET_ACCESS_KEY": ""}, "edge", "aws-no-credentials"),
]


@LANGUAGES
@pytest.mark.parametrize(("setting", "part", "error"), BROKEN)
def test_what_fails_is_said_and_the_rest_is_done(
    house: AdminHouse,
    outside: dict[str, str],
    domain: str,
    setting: dict[str, str],
    part: str,
    error: str,
    lang: str,
) -> None:
    told = run(house, {**outside, **setting}, "add", domain, "--yes", lang=lang)

    assert told.code == 1
    assert told.facts["ok"] is False
    assert (told.facts[part]["state"], told.facts[part]["error"]) == ("left", error)
    others = set(PARTS) - {part}
    assert {told.facts[name]["state"] for name in others} == {"done"}
    assert told.facts["left"]
    mended = run(house, outside, "add", domain, "--yes", lang=lang)
    assert (mended.code, mended.facts[part]["state"]) == (0, "done")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", "aws-denied"),
        ("UnrecognizedClientException", "aws-bad-credentials"),
        ("ValidationException", "aws-refuses"),
    ],
)
def test_what_aws_says_is_a_sentence(
    house: AdminHouse, outside: dict[str, str], domain: str, code: str, error: str
) -> None:
    with house.host.inside():
        refusing = RefusingCloud(code, "no")
    with refusing:
        settings = {**outside, **environment(refusing.endpoint)}
        told = run(house, settings, "add", domain, "--yes")

    assert told.code == 1
    assert told.facts["edge"]["error"] == error


def test_without_a_yes_nothing_is_written_and_the_way_is_told(
    house: AdminHouse, outside: dict[str, str], cloudflare: FakeCloudflare, domain: str
) -> None:
    told = run(house, outside, "add", domain)

    assert told.code == 1
    assert told.facts["cloudflare"]["state"] == "left"
    assert cloudflare.asked("POST") == []
    assert any("--yes" in text for text in told.facts["left"])


def test_another_providers_mx_stays_without_a_word_of_its_own(
    house: AdminHouse, outside: dict[str, str], cloudflare: FakeCloudflare, domain: str
) -> None:
    cloudflare.put("MX", domain, "aspmx.l.google.com", priority=1)
    cloudflare.put("TXT", domain, "v=spf1 mx -all", comment="by the shop")
    cloudflare.put("MX", domain, "alt1.aspmx.l.google.com", priority=5)

    kept = run(house, outside, "add", domain, "--yes")
    assert kept.code == 1
    assert set(cloudflare.contents(domain, "MX")) == {"aspmx.l.google.com", "alt1.aspmx.l.google.com"}
    (spf,) = [it for it in cloudflare.records.values() if it["name"] == domain and it["type"] == "TXT"]
    assert (spf["content"], spf["comment"]) == ('"v=spf1 mx include:sendgrid.net -all"', "by the shop")
    replaced = run(house, outside, "add", domain, "--yes", "--replace")

    assert replaced.code == 0
    assert cloudflare.contents(domain, "MX") == [MX]


def test_a_token_that_may_only_read_is_told_what_it_lacks(
    house: AdminHouse, outside: dict[str, str], cloudflare: FakeCloudflare, domain: str
) -> None:
    cloudflare.may_write = False

    told = run(house, outside, "add", domain, "--yes")

    assert told.facts["cloudflare"]["error"] == "api-forbidden"
    assert "Zone > DNS > Edit" in told.facts["cloudflare"]["message"]


def test_a_zone_is_read_page_by_page(house: AdminHouse, outside: dict[str, str], domain: str) -> None:
    with house.host.inside():
        paged = FakeCloudflare("shop.example", page=3)
    with paged:
        for number in range(8):
            paged.put("A", f"host{number}.shop.example", "192.0.2.1")
        paged.put("MX", domain, "aspmx.l.google.com", priority=1)

        told = run(house, {**outside, "CLOUDFLARE_API_URL": paged.base}, "add", domain, "--yes")

    steps = {it["purpose"]: it["step"] for it in told.facts["cloudflare"]["changes"]}
    assert steps["MX"] == "replace"
    assert len([it for it in paged.asked("GET") if it.path.endswith("dns_records")]) == 3


def test_a_zone_that_the_token_does_not_see_is_a_sentence(house: AdminHouse, outside: dict[str, str]) -> None:
    told = run(house, outside, "add", "elsewhere.example", "--yes")

    assert told.facts["cloudflare"]["error"] == "cloudflare-no-zone"


def test_a_service_that_asks_for_patience_gets_it_once_and_then_a_person_does(
    house: AdminHouse, outside: dict[str, str], cloudflare: FakeCloudflare, domain: str
) -> None:
    limited = {"success": False, "errors": [{"code": 971, "message": "Please wait"}], "result": None}
    cloudflare.next = [(429, limited, {"Retry-After": "0"}), (502, b"<html>", {})]
    patient = run(house, outside, "add", domain, "--yes")
    cloudflare.next = [(429, limited, {"Retry-After": "300"})]
    hurried = run(house, outside, "add", domain, "--yes")

    assert patient.code == 0
    assert hurried.facts["cloudflare"]["error"] == "api-limited"
    assert "300" in hurried.facts["cloudflare"]["message"]


@LANGUAGES
@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"CLOUDFLARE_API_TOKEN": "two words"}, "bad-key-setting"),
        ({"SENDGRID_ADMIN_KEY": "キー"}, "bad-key-setting"),
        ({"SENDGRID_API_URL": "api.sendgrid.com"}, "bad-url-setting"),
        ({"EDGE_DOMAINS_PARAMETER": "/x", "AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "no-region"),
    ],
)
def test_a_setting_that_cannot_be_right_is_told_before_anything_changes(
    house: AdminHouse, settings: dict[str, str], error: str, lang: str
) -> None:
    told = run(house, settings, "add", "never.example", lang=lang)

    assert (told.code, told.facts["error"]) == (2, error)
    assert "never.example" not in house.admin("domain", "list").out


# -- a person -----------------------------------------------------------------------------------------------


@LANGUAGES
def test_a_person_sees_what_will_change_and_says_yes_or_no(
    house: AdminHouse, outside: dict[str, str], cloudflare: FakeCloudflare, domain: str, lang: str
) -> None:
    words = Words(Language(lang))
    cloudflare.put("MX", domain, "aspmx.l.google.com", priority=1)

    with person(house, outside, lang, "add", domain) as someone:
        someone.sees(words("domain-added", domain=domain))
        someone.sees(words("plan-intro", zone="shop.example"))
        someone.sees(words("plan-other-exchanger"))
        someone.sees(f"MX {domain} 1 aspmx.l.google.com")
        question = words("ask-replace-record", record=f"MX {domain} 10 {MX}")
        someone.sees("[y/N]")
        someone.types("perhaps")
        someone.sees(words("answer-yes-or-no"))
        someone.sees("[y/N]")
        someone.types("y")
        someone.sees(question)
        someone.sees("[y/N]")
        someone.types("n")
        someone.sees(words("left-intro"))
        assert someone.ends() == 1

    assert f"\x1b[1;31m      - MX {domain} 1 aspmx.l.google.com" in someone.raw
    assert cloudflare.contents(domain, "MX") == ["aspmx.l.google.com"]
    assert cloudflare.contents(f"_dmarc.{domain}", "TXT")


@LANGUAGES
def test_without_keys_a_person_is_told_every_step(house: AdminHouse, domain: str, lang: str) -> None:
    words = Words(Language(lang))

    with person(house, {"POSTMASTER_ADDRESS": f"nobody@{DOMAIN}"}, lang, "add", domain) as someone:
        someone.sees(words("domain-added", domain=domain))
        someone.sees(words("postmaster-nobody", address=f"postmaster@{domain}"))
        someone.sees(words("edge-off"))
        someone.sees(words("sendgrid-off"))
        someone.sees(words("records-intro", domain=domain))
        someone.sees(words("postmaster-by-hand", address=f"postmaster@{domain}"))
        someone.sees(words("left-home-domains", domain=domain))
        someone.sees(words("left-check", domain=domain))
        assert someone.ends() == 0
