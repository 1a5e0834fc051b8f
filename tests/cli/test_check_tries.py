"""mxgw check: what is in effect, and an honest try of everything that the configuration names."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mxgw.cli import tries
from mxgw.cli.tries import Finding, Level, try_certificate, try_home, try_listen, try_seal, try_spool
from mxgw.config import Address, Config, HomeAddress, Role, load
from tests.cli.support import PROGRAM, Demo, environment, mxgw
from tests.rig.homeserver import Close, HomeServer, Raw

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    loaded = load(
        {
            "MXGW_DOMAINS": "example.jp,example.com",
            "MXGW_HOME": "lmtp://127.0.0.1:1",
            "MXGW_HOSTNAME": "mx.example.jp",
            "MXGW_SPOOL_DIR": str(tmp_path),
            "MXGW_CONNECT_SECONDS": "5",
        },
        role=Role.EDGE,
    )
    assert isinstance(loaded, Config)
    return loaded


def at(config: Config, home: HomeServer) -> Config:
    return replace(config, home=HomeAddress("127.0.0.1", home.port))


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.name: finding.level for finding in findings}


# Home.


async def test_a_good_home_is_reached_offers_and_knows_postmaster(config: Config) -> None:
    async with HomeServer() as home:
        findings = await try_home(at(config, home))

    assert levels(findings) == {"home": Level.OK, "home offers": Level.OK, "postmaster": Level.OK}
    assert "8BITMIME, CHUNKING, ENHANCEDSTATUSCODES, PIPELINING" in findings[1].detail
    assert "RCPT TO:<postmaster@example.jp>" in home.commands()
    assert "LHLO mx.example.jp" in home.commands()
    assert home.messages == []
    assert home.violations == []


async def test_a_home_that_lacks_extensions_is_a_warning(config: Config) -> None:
    async with HomeServer(extensions=("PIPELINING",)) as home:
        findings = await try_home(at(config, home))

    assert levels(findings)["home offers"] is Level.WARNING
    assert "not CHUNKING, 8BITMIME" in findings[1].detail


@pytest.mark.parametrize(
    ("reply", "level"),
    [("550 5.1.1 Who?", Level.FAILED), ("451 4.2.0 Not now", Level.WARNING), ("250 2.1.5 OK", Level.OK)],
)
async def test_postmaster_is_asked_for(config: Config, reply: str, level: Level) -> None:
    async with HomeServer() as home:
        home.rcpt["postmaster@example.jp"] = reply
        findings = await try_home(at(config, home))

    assert levels(findings)["postmaster"] is level


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (Close(), "it closed the connection"),
        (Raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "not a reply line"),
        ("554 5.7.1 Go away", "it turns us away: 554 5.7.1 Go away"),
    ],
)
async def test_a_home_that_is_none_is_a_failure(
    config: Config, greeting: Close | Raw | str, words: str
) -> None:
    async with HomeServer() as home:
        home.greeting = greeting
        findings = await try_home(at(config, home))

    assert levels(findings) == {"home": Level.FAILED}
    assert words in findings[0].detail


async def test_a_server_that_speaks_smtp_only_is_a_failure(config: Config) -> None:
    async with HomeServer() as home:
        home.lhlo = "500 5.5.1 Command not recognised"
        findings = await try_home(at(config, home))

    assert levels(findings) == {"home": Level.FAILED}
    assert "speaks no LMTP" in findings[0].detail


async def test_a_home_that_is_silent_is_a_failure_in_time(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "REPLY_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        findings = await try_home(replace(config, home=HomeAddress("127.0.0.1", silent.getsockname()[1])))

    assert levels(findings) == {"home": Level.FAILED}
    assert "does not answer" in findings[0].detail


async def test_nobody_at_home_and_nobody_at_the_proxy_are_failures(config: Config) -> None:
    [direct] = await try_home(config)
    [proxied] = await try_home(replace(config, socks5=Address("127.0.0.1", 1)))

    assert direct.level is proxied.level is Level.FAILED
    assert "SOCKS5 proxy 127.0.0.1:1" in proxied.detail


# Doors.


def test_a_free_port_is_fine_and_is_given_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for _ in range(2):
        assert try_listen("door", Address("127.0.0.1", port), probe=b"", mine="220 x").level is Level.OK


def test_a_port_of_somebody_else_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "BANNER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(0.0)
        finding = try_listen("door", Address(*taken.getsockname()), probe=b"", mine="220 mx.example.jp ")

    assert finding.level is Level.FAILED
    assert "in use" in finding.detail


def test_an_address_that_is_not_ours_is_a_failure() -> None:
    assert try_listen("door", Address("192.0.2.1", 25), probe=b"", mine="").level is Level.FAILED
    assert try_listen("door", Address("nowhere.invalid", 25), probe=b"", mine="").level is Level.FAILED


# Certificates.


def certificate(
    directory: Path, *, names: list[str], days: float, password: bytes | None = None
) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "mx.example.jp")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=100))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(text) for text in names]), critical=False
        )
    paths = directory / "cert.pem", directory / "key.pem"
    paths[0].write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
        )
    )
    return paths


@pytest.mark.parametrize(
    ("names", "days", "expected"),
    [
        (["mx.example.jp"], 60.0, {"certificate": Level.OK}),
        (["*.example.jp"], 60.0, {"certificate": Level.OK}),
        (["MX.Example.JP"], 10.0, {"certificate": Level.WARNING}),
        (["mx.example.jp"], -1.0, {"certificate": Level.FAILED}),
        (["www.example.jp"], 60.0, {"certificate": Level.OK, "certificate name": Level.WARNING}),
        ([], 60.0, {"certificate": Level.OK, "certificate name": Level.WARNING}),
    ],
)
def test_a_certificate_is_judged_by_its_end_and_its_names(
    config: Config, tmp_path: Path, names: list[str], days: float, expected: dict[str, Level]
) -> None:
    cert, key = certificate(tmp_path, names=names, days=days)

    findings = try_certificate(replace(config, tls_cert=cert, tls_key=key), NOW.timestamp())

    assert levels(findings) == expected
    if days > 0:
        assert f"{days:.0f} days" in findings[0].detail


def test_certificate_and_key_that_do_not_belong_together_are_a_failure(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    cert, _ = certificate(tmp_path, names=["mx.example.jp"], days=60)
    _, key = certificate(tmp_path / "other", names=["mx.example.jp"], days=60)

    [finding] = try_certificate(replace(config, tls_cert=cert, tls_key=key), NOW.timestamp())

    assert finding.level is Level.FAILED
    assert "do not belong together" in finding.detail


def test_a_key_with_a_password_is_a_failure_and_no_question(config: Config, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, names=["mx.example.jp"], days=60, password=b"hush")

    [finding] = try_certificate(replace(config, tls_cert=cert, tls_key=key), NOW.timestamp())

    assert finding.level is Level.FAILED
    assert "password" in finding.detail


@pytest.mark.parametrize("content", [b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\n"])
def test_files_that_are_no_certificate_are_a_failure(config: Config, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(content)

    [finding] = try_certificate(replace(config, tls_cert=path, tls_key=path), NOW.timestamp())

    assert finding.level is Level.FAILED


def test_no_certificate_is_fine(config: Config) -> None:
    assert levels(try_certificate(config, 0.0)) == {"certificate": Level.OK}


# Spool and seal.


def test_the_spool_is_judged_by_its_room(config: Config) -> None:
    [fine] = try_spool(replace(config, max_spool_octets=config.max_message_octets))
    [tight] = try_spool(replace(config, max_spool_octets=2**60))
    [full] = try_spool(replace(config, max_message_octets=2**60))

    assert (fine.level, tight.level, full.level) == (Level.OK, Level.WARNING, Level.FAILED)


def test_a_spool_that_cannot_be_written_to_is_a_failure(config: Config) -> None:
    [finding] = try_spool(replace(config, spool_dir=Path("/proc")))

    assert finding.level is Level.FAILED


def test_without_a_key_repeats_cannot_be_recognised(config: Config) -> None:
    assert try_seal(config).level is Level.WARNING
    assert try_seal(replace(config, seal_key=b"k" * 16)).level is Level.OK


# The command.


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("mail")) as running:
        yield running


def settings_for(demo: Demo) -> dict[str, str]:
    return {
        "MXGW_DOMAINS": "example.com",
        "MXGW_HOME": f"lmtp://{demo.doors['lmtp']}",
        "MXGW_LISTEN": "127.0.0.1:0",
        "MXGW_HTTP_LISTEN": "127.0.0.1:0",
        "MXGW_SEAL_KEY": "correct horse battery staple",
    }


def test_all_well_is_exit_code_0_and_json_where_it_is_piped(demo: Demo, tmp_path: Path) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_text("\nworkers = 2\n")

    ended = mxgw("check", "--config", str(toml), settings=settings_for(demo))

    facts = json.loads(ended.out)
    assert ended.code == 0
    assert facts["ok"] is True
    assert facts["settings"]["MXGW_SEAL_KEY"] == {
        "value": "(hidden)",
        "from": "environment",
        "default": "none",
    }
    assert facts["settings"]["MXGW_WORKERS"] == {"value": "2", "from": f"{toml}:2", "default": "1"}
    assert facts["settings"]["MXGW_DMARC"]["from"] == "default"
    assert {it["name"]: it["level"] for it in facts["tries"]} == dict.fromkeys(
        ["mail door", "status door", "certificate", "spool", "home", "home offers", "postmaster", "seal"],
        "ok",
    )


def test_a_gateway_that_runs_already_is_recognised(demo: Demo) -> None:
    doors = {"MXGW_LISTEN": demo.doors["smtp"], "MXGW_HTTP_LISTEN": demo.doors["http"]}

    ended = mxgw("check", settings={**settings_for(demo), **doors})

    found = [it for it in json.loads(ended.out)["tries"] if it["name"] in ("mail door", "status door")]
    assert ended.code == 0
    assert [door["level"] for door in found] == ["warning", "warning"]
    assert all("running already" in door["detail"] for door in found)


def test_a_try_that_fails_is_exit_code_1(demo: Demo) -> None:
    ended = mxgw("check", "--json", settings={**settings_for(demo), "MXGW_HOME": "lmtp://127.0.0.1:1"})

    assert ended.code == 1
    assert json.loads(ended.out)["ok"] is False
    assert "Traceback" not in ended.err


def test_a_server_that_cannot_use_its_certificate_says_so_and_points_here(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    cert, _ = certificate(tmp_path, names=["mx.example.jp"], days=60)
    _, key = certificate(tmp_path / "other", names=["mx.example.jp"], days=60)
    settings = {
        "MXGW_DOMAINS": "example.jp",
        "MXGW_HOME": "lmtp://127.0.0.1:1",
        "MXGW_LISTEN": "127.0.0.1:0",
        "MXGW_HTTP_LISTEN": "127.0.0.1:0",
        "MXGW_TLS_CERT": str(cert),
        "MXGW_TLS_KEY": str(key),
    }

    ended = mxgw("serve", "edge", settings=settings)

    assert ended.code == 2
    assert "certificate and key cannot be used: KEY_VALUES_MISMATCH; try: mxgw check" in ended.err
    assert "Traceback" not in ended.err


def test_a_person_gets_tables(demo: Demo) -> None:
    keeper, terminal = os.openpty()
    with os.fdopen(keeper, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [PROGRAM, "check"],
            env={**environment(settings_for(demo)), "TERM": "xterm-256color"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        shown = b""
        try:
            while piece := screen.read(4096):
                shown += piece
        except OSError:
            pass  # EIO: the program has closed its end of the terminal.
        assert process.wait(60) == 0

    text = shown.decode()
    assert "\x1b[" in text
    assert "MXGW_RECIPIENT_CACHE_SECONDS" in text
    assert "(hidden)" in text
    assert "horse" not in text
    assert "home knows postmaster@example.com" in " ".join(text.split())
