"""The canary by the whole way: edge with STARTTLS, home door, scanner, Dovecot, IMAPS; each part broken."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mxgw.cli import group
from mxgw.watch import canary
from mxgw.watch.canary import Bird, Part, Way, fly
from mxgw.watch.canary_letters import FIELD, genuine
from tests.dell.certificates import Authority, Pair
from tests.home.faulty_scanner import Fault, FaultyScanner
from tests.rig.dovecot import PASSWORD, Dovecot
from tests.rig.gateway import Gateway
from tests.rig.homedoor import HomeDoor
from tests.rig.process import free_port
from tests.rig.zone import Zone, ZoneServer
from tests.watch.watched_house import NAME, Notices, WatchedHouse

BIRD = "canary@example.jp"


class TlsFront:
    """TLS before a plain port, as Dovecot has it on 993."""

    def __init__(self, pair: Pair, port: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(plain,), daemon=True).start()

    def _carry(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            plain,
            self._context.wrap_socket(plain, server_side=True) as near,
            socket.create_connection(("127.0.0.1", self._target)) as far,
        ):
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join(5)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while octets := source.recv(65_536):
            sink.sendall(octets)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Whole:
    """All of it, running."""

    def __init__(
        self, house: WatchedHouse, zone: Zone, dovecot: Dovecot, scanner: FaultyScanner, door: HomeDoor
    ) -> None:
        self.house = house
        self.zone = zone
        self.dovecot = dovecot
        self.scanner = scanner
        self.door = door

    async def fly(self, **settings: str) -> dict[str, Any]:
        """One call of the command, and what it kept."""
        self.house.settings |= settings
        self.house.write()

        def call() -> int:
            environ = {"LC_ALL": "C.UTF-8", **self.house.environ}
            done = CliRunner().invoke(group, ["admin", "canary"], env=environ)
            assert done.exception is None or isinstance(done.exception, SystemExit), done.output
            assert (self.house.state / "canary.json").exists(), done.output
            return done.exit_code

        code = await asyncio.to_thread(call)
        kept: dict[str, Any] = json.loads((self.house.state / "canary.json").read_text())
        assert code == bool(kept["broken"]), kept
        return kept


def key_pair(path: Path) -> str:
    """A key in a file; what DNS says of it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    (tmp_path / "certificates").mkdir()
    authority = Authority(tmp_path / "certificates")
    edge_pair, home_pair = authority.pair("mx.example.jp"), authority.pair(NAME)
    record = key_pair(tmp_path / "canary.key")
    zone = Zone(
        {
            "example.jp": {"MX": [(10, "mx.example.jp")]},
            "mx.example.jp": {"A": ["127.0.0.1"]},
            "canary._domainkey.example.jp": {"TXT": [record]},
            "_dmarc.example.jp": {"TXT": ["v=DMARC1; p=none"]},
        }
    )
    with contextlib.ExitStack() as stack:
        house = WatchedHouse(tmp_path)
        stack.callback(house.close)
        dovecot = stack.enter_context(Dovecot({BIRD: None}, imap=True))
        front = TlsFront(home_pair, dovecot.imap_port)
        stack.callback(front.close)
        scanner = stack.enter_context(FaultyScanner())
        door = stack.enter_context(HomeDoor(dovecot.url, rspamd=scanner.url))
        async with ZoneServer(zone) as dns:
            edge = Gateway(
                door.url,
                dns=dns.address,
                checks="spf,dkim,dmarc,recipient",
                tls_cert=str(edge_pair.certificate),
                tls_key=str(edge_pair.key),
            )
            await asyncio.to_thread(stack.enter_context, edge)
            house.settings |= {
                "EDGE_HOSTNAME": "mx.example.jp",
                "MXGW_DNS": dns.address,
                "CANARY_TO": BIRD,
                "CANARY_PASSWORD": PASSWORD,
                "CANARY_WAY": "direct",
                "CANARY_FROM": "postmaster@example.jp",
                "CANARY_DKIM_KEY": str(tmp_path / "canary.key"),
                "CANARY_CA": str(authority.path),
                "CANARY_PORT": str(edge.smtp[1]),
                "CANARY_IMAP_PORT": str(front.port),
            }
            yield Whole(house, zone, dovecot, scanner, door)


async def test_it_arrives_is_proven_and_removed_and_its_forged_twin_is_marked(whole: Whole) -> None:
    flight = await whole.fly()

    assert (flight["broken"], flight["twin"]) == ("", "marked"), flight
    assert 0 < flight["seconds"] < 60
    assert whole.dovecot.messages(BIRD) == []
    assert list(flight["parts"])[-2:] == ["authentication", "forgery"]


async def test_each_broken_part_names_itself_and_recovers(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "ARRIVAL_SECONDS", 1.0)
    key_pair(tmp_path / "other.key")
    (tmp_path / "elsewhere").mkdir()
    stranger = Authority(tmp_path / "elsewhere")
    whole.zone.failing.add("MX example.jp")
    assert (await whole.fly())["broken"] == Part.DNS
    whole.zone.failing.clear()

    for part, settings in {
        Part.PORT: {"CANARY_PORT": str(free_port())},
        Part.TLS: {"CANARY_CA": str(stranger.path)},
        Part.AUTHENTICATION: {"EDGE_HOSTNAME": "mx.elsewhere.example"},
        Part.IMAP: {"CANARY_PASSWORD": "wrong"},
    }.items():
        well = {name: whole.house.settings[name] for name in settings}
        flight = await whole.fly(**settings)
        assert flight["broken"] == part, flight
        assert flight["why"]
        whole.house.settings |= well

    for standing, settings in {
        "missing": {"CANARY_DKIM_SELECTOR": "nothing"},
        "other": {"CANARY_DKIM_KEY": str(tmp_path / "other.key")},
    }.items():
        well = {name: whole.house.settings.get(name, "") for name in settings}
        flight = await whole.fly(**settings)
        assert (flight["broken"], flight["record"]) == (Part.RECORD, standing), flight
        assert flight["seconds"] > 0, "mail has arrived"
        whole.house.settings |= well

    whole.scanner.fault = Fault.CLOSES
    assert (await whole.fly())["broken"] == Part.SCANNER
    whole.scanner.fault = Fault.NONE

    whole.house.table["states"]["dovecot"] = ["exited", ""]
    whole.dovecot.kill()
    assert (await whole.fly())["broken"] == Part.DOVECOT
    whole.house.table["states"]["dovecot"] = ["running", "healthy"]
    whole.dovecot.start()
    async with asyncio.timeout(60):
        while True:
            if not (await whole.fly())["broken"]:
                break

    await asyncio.to_thread(whole.door.terminate)
    assert (await whole.fly())["broken"] == Part.HOME


async def test_where_port_25_is_blocked_sendgrid_brings_it(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "SENDGRID_SECONDS", 30.0)
    flight = await whole.fly(
        CANARY_WAY="sendgrid", SENDGRID_API_KEY="", SENDGRID_API_URL="http://127.0.0.1:1"
    )
    assert flight["broken"] == Part.SENDGRID

    brought = Bringing(whole)
    try:
        flight = await whole.fly(SENDGRID_API_KEY="SG.x", SENDGRID_API_URL=brought.url)
    finally:
        brought.close()

    assert flight["broken"] == "", flight
    assert (flight["way"], flight["twin"]) == ("sendgrid", "untried")
    assert whole.dovecot.messages(BIRD) == []


class Bringing(Notices):
    """SendGrid: takes a message by its API, and brings it to the MX, signed."""

    def __init__(self, whole: Whole) -> None:
        super().__init__()
        self._whole = whole
        threading.Thread(target=self._bring, daemon=True).start()

    def _bring(self) -> None:
        while not self.taken:
            time.sleep(0.02)
        _, body, _ = self.taken[0]
        settings = self._whole.house.settings
        letter = genuine(
            body["from"]["email"],
            body["personalizations"][0]["to"][0]["email"],
            body["headers"][FIELD],
            "canary",
            Path(settings["CANARY_DKIM_KEY"]).read_bytes(),
        )
        with smtplib.SMTP("127.0.0.1", int(settings["CANARY_PORT"]), "o1.sendgrid.example") as session:
            session.sendmail("bounces@sendgrid.example", [BIRD], letter)


def test_a_forged_twin_that_passes_is_the_alarm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Credulous:
        def take(self, token: str) -> bytes | None:
            del token
            return b"Authentication-Results: mx.example.jp;\r\n dkim=pass; dmarc=pass\r\n\r\n"

        def trouble(self) -> Part:
            return Part.HOME

    key_pair(tmp_path / "key")
    monkeypatch.setattr(canary, "_bring", lambda *_: None)
    bird = Bird("a@example.jp", BIRD, "mx.example.jp", Way.DIRECT, "canary", (tmp_path / "key").read_bytes())

    flight = fly(bird, Credulous(), exchangers=lambda: [("mx", "127.0.0.1")], by_sendgrid=lambda *_: None)

    assert flight.broken is Part.FORGERY
