"""The MTA-STS policy as the Worker serves it, and the records beside it, by the grammars of the RFCs."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from dataclasses import dataclass

import pytest

from mxgw.admin.dns_records import POLICY_SECONDS, Exchanger, Purpose, mta_sts_policy, wanted_records
from tests.ecs.template_reading import TEMPLATES
from tests.rig.process import find_program

WORKER = TEMPLATES / "mta-sts" / "worker.js"
PATH = "/.well-known/mta-sts.txt"
URL = f"https://mta-sts.example.jp{PATH}"
MX = {"MX": "mx.example.jp"}

# What Cloudflare does with a Worker: calls its fetch with a request and the variables.
ASK = """
const worker = (await import(process.argv[1])).default;
const { url, method, variables } = JSON.parse(process.argv[2]);
const answer = await worker.fetch(new Request(url, { method }), variables);
console.log(JSON.stringify({ status: answer.status, text: await answer.text(),
  type: answer.headers.get("content-type") }));
"""

# RFC 8461 section 3.2; sts-policy-ext-field as in the section.
_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
POLICY_LINE = re.compile(
    r"version:[ \t]*STSv1|mode:[ \t]*(?:testing|enforce|none)|max_age:[ \t]*[0-9]{1,10}"
    rf"|mx:[ \t]*(?:\*\.)?{_DOMAIN}"
)
# RFC 8461 section 3.1.
STS_RECORD = re.compile(r"v=STSv1(?:[ \t]*;[ \t]*id=[A-Za-z0-9]{1,32})[ \t]*;?[ \t]*")
# RFC 8460 section 3, with one mailto in rua.
TLS_RPT_RECORD = re.compile(rf"v=TLSRPTv1[ \t]*;[ \t]*rua=mailto:[A-Za-z0-9._+-]+@{_DOMAIN}[ \t]*;?[ \t]*")


@dataclass(frozen=True)
class Answer:
    """What the Worker answers."""

    status: int
    text: str
    type: str


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Worker where Node takes it for the module that it is."""
    place = tmp_path_factory.mktemp("worker") / "worker.mjs"
    place.write_bytes(WORKER.read_bytes())
    return str(place)


def ask(module: str, variables: dict[str, str], *, url: str = URL, method: str = "GET") -> Answer:
    node = find_program("node", package="npm")
    said = subprocess.run(
        [
            node,
            "--input-type=module",
            "--eval",
            ASK,
            module,
            json.dumps(
                {
                    "url": url,
                    "method": method,
                    "variables": variables,
                }
            ),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Answer(**json.loads(said.stdout))


def fields(policy: str) -> list[tuple[str, str]]:
    """The policy by the grammar; AssertionError where it breaks it."""
    *lines, rest = policy.split("\r\n")
    assert rest == ""
    assert [line for line in lines if not POLICY_LINE.fullmatch(line)] == []
    pairs = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    keys = [key for key, _ in pairs]
    assert (keys.count("version"), keys.count("mode"), keys.count("max_age")) == (1, 1, 1)
    return pairs


@pytest.mark.parametrize("domain", ["example.jp", "example.com", "xn--wgv71a.jp"])
def test_each_domain_gets_the_policy_that_the_admin_command_shows(module: str, domain: str) -> None:
    answer = ask(module, MX, url=f"https://mta-sts.{domain}{PATH}")

    assert (answer.status, answer.type) == (200, "text/plain; charset=utf-8")
    assert answer.text == mta_sts_policy(Exchanger("mx.example.jp"))
    assert dict(fields(answer.text)) == {
        "version": "STSv1",
        "mode": "testing",
        "mx": "mx.example.jp",
        "max_age": str(POLICY_SECONDS),
    }


def test_mode_age_and_several_names_are_as_the_variables_say(module: str) -> None:
    answer = ask(module, {"MX": "mx.example.jp, *.Mail.example", "MODE": "enforce", "MAX_AGE": "31557600"})

    assert fields(answer.text) == [
        ("version", "STSv1"),
        ("mode", "enforce"),
        ("mx", "mx.example.jp"),
        ("mx", "*.mail.example"),
        ("max_age", "31557600"),
    ]


def test_a_policy_is_taken_back_without_a_name(module: str) -> None:
    answer = ask(module, {"MODE": "none", "MAX_AGE": "86400"})

    assert fields(answer.text) == [("version", "STSv1"), ("mode", "none"), ("max_age", "86400")]


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({}, "MX"),
        ({"MX": "https://mx.example.jp"}, "MX"),
        ({"MX": "mx.example.jp\nmode: none"}, "MX"),
        ({"MX": "mx.*.example.jp"}, "MX"),
        (MX | {"MODE": "enforced"}, "MODE"),
        (MX | {"MAX_AGE": "a week"}, "MAX_AGE"),
        (MX | {"MAX_AGE": "31557601"}, "MAX_AGE"),
    ],
    ids=str,
)
def test_a_wrong_variable_is_named_and_no_policy_is_served(
    module: str, variables: dict[str, str], word: str
) -> None:
    answer = ask(module, variables)

    assert answer.status == 500
    assert word in answer.text
    assert "STSv1" not in answer.text


@pytest.mark.parametrize(
    ("url", "method", "status"),
    [
        (f"https://example.jp{PATH}", "GET", 404),
        ("https://mta-sts.example.jp/", "GET", 404),
        (f"{URL}/", "GET", 404),
        (URL, "POST", 405),
    ],
)
def test_it_answers_nothing_else(module: str, url: str, method: str, status: int) -> None:
    assert ask(module, MX, url=url, method=method).status == status


def test_the_example_of_its_configuration_serves_a_policy(module: str) -> None:
    configuration = tomllib.loads((TEMPLATES / "mta-sts" / "wrangler.example.toml").read_text("utf-8"))

    assert (TEMPLATES / "mta-sts" / configuration["main"]) == WORKER
    for route in configuration["routes"]:
        assert route["custom_domain"] is True
        assert fields(ask(module, configuration["vars"], url=f"https://{route['pattern']}{PATH}").text)


def test_the_records_are_those_of_the_rfcs() -> None:
    wanted = wanted_records(
        "example.jp", Exchanger("mx.example.jp"), reports="postmaster@example.jp", now=1_795_514_400.0
    )
    by_purpose = {record.purpose: record for record in wanted}

    policy, reports = by_purpose[Purpose.MTA_STS], by_purpose[Purpose.TLS_RPT]

    assert (policy.name, policy.kind, reports.name, reports.kind) == ("_mta-sts", "TXT", "_smtp._tls", "TXT")
    assert STS_RECORD.fullmatch(policy.content)
    assert TLS_RPT_RECORD.fullmatch(reports.content)
