"""The edge as a sender sees it: what is right is called right, and each thing that is broken names itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from mxgw.admin.dns_check import Level
from mxgw.admin.words import Language
from mxgw.doctor.certificate import read_certificate
from mxgw.doctor.edge_facts import EdgeSeen, Visit
from mxgw.doctor.edge_judge import EdgeCheck, judge_certificate, judge_edge
from mxgw.doctor.letter import MARK, letter
from mxgw.doctor.smtp_talk import Broken, Trouble
from mxgw.doctor.verdict import Verdict
from mxgw.doctor.visit import MAX_ADDRESSES, Manners, probes_for, see_edge
from mxgw.doctor.words import DoctorWords
from mxgw.resolver.answers import Status
from tests.doctor.doctor_rig import DOMAIN, EDGE, HELLO, TODAY, OddEdge, assert_spoken, issue
from tests.rig.gateway import Gateway
from tests.rig.homeacts import Act, Close, Hang, Raw
from tests.rig.homeserver import HomeServer
from tests.rig.zone import Zone

ZONE = {EDGE: {"A": ["127.0.0.1"]}, "127.0.0.1": {"PTR": [EDGE]}}
MANNERS = Manners("visitor.example", 20.0)
IMPATIENT = Manners("visitor.example", 0.3)
TOKEN = "0123456789ab"
UNKNOWN = f"mxgw-doctor-{TOKEN}@{DOMAIN}"

Trust = Callable[[Path], None]


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Trust:
    """Lets the system trust a file of authorities."""

    def trusted(authorities: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", os.fspath(authorities))

    return trusted


async def judged(
    port: int,
    *,
    host: str = EDGE,
    zone: Zone | None = None,
    manners: Manners = MANNERS,
    domains: Sequence[str] = (DOMAIN,),
    send_to: str = "",
    token: str = TOKEN,
) -> list[Verdict]:
    content = (
        letter(recipient=send_to, sender_host="visitor.example", token=TOKEN, now=TODAY) if send_to else b""
    )
    probes = probes_for(domains, send_to=send_to, content=content, token=token)
    seen = await see_edge(zone or Zone(ZONE), host, port, probes=probes, manners=manners)
    verdicts = judge_edge(seen, datetime.now(UTC))
    assert_spoken(verdicts)
    return verdicts


def wrong(verdicts: list[Verdict]) -> dict[str, str]:
    """What is not right: the key of each check."""
    return {verdict.check: verdict.key for verdict in verdicts if verdict.level is not Level.OK}


def one(verdicts: list[Verdict], check: EdgeCheck) -> Verdict:
    (found,) = [verdict for verdict in verdicts if verdict.check == check]
    return found


# The real gateway.


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, int, Path]]:
    """One gateway, the port where it looks for its home, and who trusts its certificate."""
    cert, key, authorities = issue(tmp_path_factory.mktemp("edge"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        home = taken.getsockname()[1]
    with Gateway(f"lmtp://127.0.0.1:{home}", tls_cert=str(cert), tls_key=str(key)) as running:
        yield running, home, authorities
        assert running.tracebacks() == []


def household(port: int) -> HomeServer:
    home = HomeServer(port=port, default_rcpt="550 5.1.1 No such user")
    home.rcpt["postmaster@example.jp"] = home.rcpt["taro@example.jp"] = "250 2.1.5 OK"
    return home


Edge = tuple[Gateway, int, Path]


async def test_a_good_edge_with_a_good_certificate_is_all_right(edge: Edge, trust: Trust) -> None:
    gateway, port, authorities = edge
    trust(authorities)
    async with household(port) as home:
        verdicts = await judged(gateway.smtp[1])

    assert wrong(verdicts) == {}
    assert [verdict.check for verdict in verdicts] == [
        *("port", "banner", "extensions", "starttls"),
        *("certificate", "certificate-name", "certificate-days", "reverse"),
        *("home", "relay", "postmaster", "unknown"),
    ]
    assert all(verdict.evidence for verdict in verdicts)
    assert one(verdicts, EdgeCheck.HOME).key == "home-ok"
    assert home.messages == []


async def test_a_test_message_is_delivered_when_it_is_asked_for(edge: Edge) -> None:
    gateway, port, _ = edge
    async with household(port) as home:
        verdicts = await judged(gateway.smtp[1], send_to="taro@example.jp")
        nobody = await judged(gateway.smtp[1], send_to="nobody@example.jp")

    assert one(verdicts, EdgeCheck.DELIVERY).key == "delivery-ok"
    assert [message.forward_path for message in home.messages] == ["taro@example.jp"]
    assert f"{MARK}: {TOKEN}\r\n".encode() in home.messages[0].content
    assert one(nobody, EdgeCheck.DELIVERY).key == "delivery-refused"


async def test_a_domain_that_the_edge_does_not_have_has_no_postmaster(edge: Edge) -> None:
    gateway, port, _ = edge
    async with household(port):
        verdicts = await judged(gateway.smtp[1], domains=["other.example"])

    assert wrong(verdicts)["postmaster"] == "postmaster-refused"
    # Its own refusal says nothing of home.
    assert EdgeCheck.HOME not in {verdict.check for verdict in verdicts}


async def test_a_home_that_takes_mail_for_everybody_is_seen_through_the_edge(edge: Edge) -> None:
    gateway, port, _ = edge
    async with HomeServer(port=port):
        # The gateway remembers who was refused: somebody else.
        verdicts = await judged(gateway.smtp[1], token="catchall")

    assert one(verdicts, EdgeCheck.UNKNOWN).key == "unknown-taken"
    assert one(verdicts, EdgeCheck.HOME).key == "home-likely"


async def test_home_that_is_away_is_named_and_what_could_not_be_tried_says_so() -> None:
    with Gateway("lmtp://127.0.0.1:1") as alone:
        # The edge learns it from the first who asks.
        first = await judged(alone.smtp[1])
        verdicts = await judged(alone.smtp[1], send_to="taro@example.jp")

    untested = {"postmaster": "postmaster-untested", "unknown": "unknown-untested"}
    # Its certificate is one that it made for itself.
    away = {"certificate": "certificate-self-signed", "home": "home-away", **untested}
    assert wrong(first) == away
    assert wrong(verdicts) == {**away, "relay": "relay-untested", "delivery": "delivery-later"}
    assert one(verdicts, EdgeCheck.HOME).level is Level.FAILED
    assert "451 4.4.1" in one(verdicts, EdgeCheck.HOME).evidence[0]


# Certificates.


@pytest.mark.parametrize(
    ("names", "days", "self_signed", "found"),
    [
        ((EDGE,), (-1, 90), False, {}),
        (("*.example.jp",), (-1, 90), False, {}),
        (("*.jp",), (-1, 90), False, {"certificate-name": "certificate-name-other"}),
        (("other.example",), (-1, 90), False, {"certificate-name": "certificate-name-other"}),
        ((), (-1, 90), False, {"certificate-name": "certificate-name-other"}),
        ((EDGE,), (-1, 90), True, {"certificate": "certificate-self-signed"}),
        ((EDGE,), (-80, 10), False, {"certificate-days": "certificate-ending"}),
        ((EDGE,), (-80, -10), False, {"certificate-days": "certificate-ended"}),
        ((EDGE,), (2, 90), False, {"certificate-days": "certificate-early"}),
    ],
)
async def test_each_fault_of_a_certificate_names_itself(
    tmp_path: Path,
    trust: Trust,
    names: tuple[str, ...],
    days: tuple[int, int],
    self_signed: bool,
    found: dict[str, str],
) -> None:
    cert, key, authorities = issue(tmp_path, names, days=days, self_signed=self_signed)
    trust(authorities)
    async with OddEdge().with_certificate(cert, key) as edge:
        assert wrong(await judged(edge.port)) == found


async def test_an_authority_that_nobody_knows_is_a_warning(tmp_path: Path) -> None:
    cert, key, _ = issue(tmp_path)
    async with OddEdge().with_certificate(cert, key) as edge:
        verdicts = await judged(edge.port)

    assert wrong(verdicts) == {"certificate": "certificate-untrusted"}
    assert "unable to get local issuer certificate" in one(verdicts, EdgeCheck.CERTIFICATE).evidence


# Every word that an edge may say wrong.


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ({"greeting": "554 5.7.1 Go away"}, {"port": "smtp-turned-away"}),
        ({"greeting": "421 4.3.2 Closing"}, {"port": "smtp-turned-away"}),
        ({"greeting": Close()}, {"port": "smtp-closed"}),
        ({"greeting": Hang()}, {"port": "smtp-silent"}),
        ({"greeting": Raw(b"SSH-2.0-OpenSSH_9.6\r\n")}, {"port": "smtp-garbage"}),
        ({"greeting": Raw(b"220 \xff\x00\x1b[31mred\r\n")}, {"banner": "banner-other"}),
        ({"greeting": Raw(b"2" * 5000)}, {"port": "smtp-garbage"}),
        ({"greeting": Raw(b"220-x\r\n" * 100)}, {"port": "smtp-garbage"}),
        ({"greeting": "220 ip-10-0-0-1 ESMTP"}, {"banner": "banner-other"}),
        ({"greeting": "220"}, {"banner": "banner-other"}),
        ({"EHLO": "502 5.5.1 What?"}, {"extensions": "ehlo-refused"}),
        ({"EHLO": Close()}, {"port": "smtp-closed"}),
        ({"EHLO": Hang()}, {"port": "smtp-silent"}),
        ({"EHLO in TLS": Close()}, {"port": "smtp-closed"}),
        ({"EHLO in TLS": "250 bare"}, {"extensions": "extensions-missing"}),
        ({"EHLO": HELLO.replace("STARTTLS", "XXXXXXXA")}, {"starttls": "starttls-missing"}),
        ({"STARTTLS": "454 4.7.0 Not now"}, {"starttls": "starttls-broken"}),
        ({"STARTTLS": Close()}, {"starttls": "starttls-broken"}),
        ({"tls": Raw(b"this is no TLS at all\r\n")}, {"starttls": "starttls-broken"}),
        ({"tls": Close()}, {"starttls": "starttls-broken"}),
        ({"tls": Hang()}, {"starttls": "starttls-broken"}),
        ({"RCPT TO:<mxgw-doctor@example.com>": "250 2.1.5 OK"}, {"relay": "relay-open"}),
        ({"MAIL": "550 5.7.25 No reverse name"}, {"home": "mail-refused", "relay": None}),
        ({"MAIL": "451 4.7.1 Greylisted"}, {"home": "mail-later", "relay": None}),
        ({"MAIL": "451 4.4.1 Home is away"}, {"home": "home-away", "relay": "relay-untested"}),
        ({"MAIL": "421 4.3.2 Closing"}, {"home": "session-broken", "relay": "relay-untested"}),
        ({"RCPT": Hang()}, {"home": "session-broken"}),
        ({"RCPT": Close()}, {"home": "session-broken"}),
        ({"RCPT": Raw(b"nonsense\r\n")}, {"home": "session-broken"}),
        ({"RCPT TO:<postmaster@example.jp>": "550 5.1.1 Who?"}, {"postmaster": "postmaster-refused"}),
        ({"RCPT TO:<postmaster@example.jp>": "450 4.2.1 Later"}, {"postmaster": "postmaster-later"}),
        ({"MAIL FROM:<postmaster@example.jp>": "451 4.7.1 Later"}, {"relay": "relay-untested"}),
        ({"MAIL FROM:<postmaster@example.jp>": "550 5.7.1 Forged"}, {}),
        ({f"RCPT TO:<{UNKNOWN}>": "250 2.1.5 OK"}, {"unknown": "unknown-taken"}),
        ({f"RCPT TO:<{UNKNOWN}>": "450 4.2.1 Later"}, {"unknown": "unknown-later"}),
        ({f"RCPT TO:<{UNKNOWN}>": "451 4.4.1 Away"}, {"unknown": "unknown-later", "home": "home-away"}),
    ],
)
async def test_each_thing_that_is_broken_names_itself(
    tmp_path: Path, trust: Trust, says: dict[str, Act], found: dict[str, str | None]
) -> None:
    cert, key, authorities = issue(tmp_path)
    trust(authorities)
    async with OddEdge(says).with_certificate(cert, key) as edge:
        verdicts = await judged(edge.port, manners=IMPATIENT)

    named = wrong(verdicts)
    for check, expected in found.items():
        assert named.get(check) == expected or (expected is None and check in named)
    assert one(verdicts, EdgeCheck.PORT).evidence
    # Whoever is wrong about one thing is not blamed for another.
    blamed = set(named) - set(found)
    assert blamed <= {"postmaster", "unknown", "relay"}
    assert all(one(verdicts, EdgeCheck(check)).key.endswith("-untested") for check in blamed)


async def test_relaying_in_our_own_name_is_relaying(tmp_path: Path) -> None:
    cert, key, _ = issue(tmp_path)
    async with OddEdge({"RCPT": "250 2.1.5 OK"}).with_certificate(cert, key) as edge:
        edge.says["RCPT TO:<mxgw-doctor@example.com>"] = "250 2.1.5 OK"
        verdicts = await judged(edge.port, domains=["example.com", "example.net"])

    relay = one(verdicts, EdgeCheck.RELAY)
    assert relay.key == "relay-open"
    # example.org alone is nobody's here; and nothing was delivered.
    assert relay.facts["recipient"] == "mxgw-doctor@example.org"
    assert not any(line.startswith("DATA") for line in edge.heard)
    assert "MAIL FROM:<postmaster@example.com>" in edge.heard


@pytest.mark.parametrize(
    ("says", "key"),
    [
        ({}, "delivery-ok"),
        ({".": "554 5.7.1 Spam"}, "delivery-refused"),
        ({".": "451 4.3.0 Later"}, "delivery-later"),
        ({".": Close()}, "delivery-later"),
        ({"DATA": "451 4.3.0 Later"}, "delivery-later"),
    ],
)
async def test_what_becomes_of_the_test_message_is_told(
    tmp_path: Path, says: dict[str, Act], key: str
) -> None:
    cert, pem_key, _ = issue(tmp_path)
    said: dict[str, Act] = {"RCPT TO:<taro@example.jp>": "250 2.1.5 OK", **says}
    async with OddEdge(said).with_certificate(cert, pem_key) as edge:
        verdicts = await judged(edge.port, send_to="taro@example.jp")

    assert one(verdicts, EdgeCheck.DELIVERY).key == key


# Where it is.


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        (Zone({}), {"address": "edge-no-address"}),
        (Zone({EDGE: {"TXT": ["x"]}}), {"address": "edge-no-address"}),
        (Zone(ZONE, failing=[EDGE]), {"address": "edge-dns-away"}),
        (Zone({EDGE: {"A": ["127.0.0.1"]}}), {"reverse": "reverse-missing"}),
        (Zone({**ZONE, "127.0.0.1": {"PTR": ["other.example"]}}), {"reverse": "reverse-astray"}),
        (Zone(ZONE, failing=["127.0.0.1"]), {"reverse": "reverse-away"}),
    ],
)
async def test_names_and_addresses_that_do_not_fit_are_named(
    tmp_path: Path, trust: Trust, zone: Zone, found: dict[str, str]
) -> None:
    cert, key, authorities = issue(tmp_path)
    trust(authorities)
    async with OddEdge().with_certificate(cert, key) as edge:
        assert wrong(await judged(edge.port, zone=zone)) == found


async def test_a_port_that_nobody_listens_at_is_a_failure() -> None:
    verdicts = await judged(1)

    assert wrong(verdicts) == {"port": "port-refused"}


async def test_each_address_is_visited_and_the_first_that_answers_is_asked(
    tmp_path: Path, trust: Trust
) -> None:
    cert, key, authorities = issue(tmp_path)
    trust(authorities)
    zone = Zone({EDGE: {"A": ["127.0.0.2", "127.0.0.1"]}, "127.0.0.1": {"PTR": [EDGE]}})
    async with OddEdge().with_certificate(cert, key) as edge:
        verdicts = await judged(edge.port, zone=zone)

    assert wrong(verdicts) == {"port": "port-refused", "reverse": "reverse-missing"}
    ports = [verdict.key for verdict in verdicts if verdict.check == EdgeCheck.PORT]
    assert ports == ["port-refused", "port-ok"]
    assert one(verdicts, EdgeCheck.POSTMASTER).key == "postmaster-ok"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_edge_without_a_full_name_is_not_compared_with_one(
    tmp_path: Path, trust: Trust, host: str
) -> None:
    cert, key, authorities = issue(tmp_path)
    trust(authorities)
    async with OddEdge().with_certificate(cert, key) as edge:
        verdicts = await judged(edge.port, host=host)

    answering = [verdict for verdict in verdicts if verdict.key != "port-refused"]
    assert {verdict.key for verdict in answering if verdict.level is not Level.OK} <= {"reverse-missing"}
    assert {"banner-unknown", "certificate-name-unknown"} <= {verdict.key for verdict in verdicts}


async def test_a_slow_edge_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cert, key, _ = issue(tmp_path)
    monkeypatch.setattr("mxgw.doctor.edge_judge.SLOW_SECONDS", 0.0)
    async with OddEdge().with_certificate(cert, key) as edge:
        assert wrong(await judged(edge.port))["port"] == "port-slow"


@pytest.mark.parametrize(
    ("broken", "key"),
    [
        (Broken(Trouble.SILENT, "connect", "no answer in 20 s"), "port-silent"),
        (Broken(Trouble.UNREACHABLE, "connect", "No route to host"), "port-unreachable"),
    ],
)
def test_a_network_that_leads_nowhere_is_told_from_an_edge_that_is_down(broken: Broken, key: str) -> None:
    seen = EdgeSeen(EDGE, 25, Status.FOUND, (Visit(IPv4Address("192.0.2.1"), broken=broken),))

    (verdict,) = judge_edge(seen, TODAY)

    assert (verdict.subject, verdict.key, verdict.level) == (EDGE, key, Level.FAILED)
    assert "OP25B" in DoctorWords(Language.JA)(verdict.mend, **verdict.facts)


@pytest.mark.parametrize("der", [b"", b"0", b"not a certificate" * 100])
def test_a_certificate_that_cannot_be_read_has_no_facts(der: bytes) -> None:
    assert read_certificate(der) is None
    assert [it.key for it in judge_certificate(EdgeSeen(EDGE, 25, Status.FOUND), der, "", TODAY)] == [
        "certificate-unreadable"
    ]


async def test_many_addresses_are_not_all_visited(tmp_path: Path) -> None:
    cert, key, _ = issue(tmp_path)
    zone = Zone({EDGE: {"A": [f"127.0.1.{number}" for number in range(1, 9)]}})
    async with OddEdge().with_certificate(cert, key) as edge:
        verdicts = await judged(edge.port, zone=zone)

    assert [verdict.check for verdict in verdicts].count(EdgeCheck.PORT) == MAX_ADDRESSES
