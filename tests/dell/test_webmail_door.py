"""nginx in front of the webmail: who gets in, under which name, with what around the answer."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dell.webmail_door import HOSTNAME, START, Echo, Nginx

HEADER = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow",
}


@pytest.fixture(scope="module")
def webmail() -> Iterator[Echo]:
    with Echo() as running:
        yield running


@pytest.fixture(scope="module")
def door(webmail: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("door"), f"127.0.0.1:{webmail.port}") as running:
        yield running


@pytest.fixture
def fresh_door(webmail: Echo, tmp_path: Path) -> Iterator[Nginx]:
    """One that has counted nothing yet."""
    with Nginx(tmp_path, f"127.0.0.1:{webmail.port}") as running:
        yield running


def test_plain_http_leads_to_our_own_name_whatever_was_asked_for(door: Nginx) -> None:
    answer = door.get("/?_task=mail", "--header", "Host: evil.example", scheme="http")

    assert answer.status == 301
    assert answer.header["location"] == f"https://{HOSTNAME}/?_task=mail"


def test_the_health_check_needs_no_webmail(door: Nginx) -> None:
    assert door.get("/healthz", scheme="http").body == "ok\n"


@pytest.mark.parametrize("path", ["/", "/?_task=mail", "/nothing", "/.well-known/change-password"])
def test_every_answer_bears_the_security_fields(door: Nginx, path: str) -> None:
    header = door.get(path).header

    assert {name: header.get(name) for name in HEADER} == HEADER
    assert "frame-ancestors 'self'" in header["content-security-policy"]
    assert "object-src 'none'" in header["content-security-policy"]


def test_nobody_learns_which_programs_run(door: Nginx) -> None:
    for path in ("/", "/nothing"):
        answer = door.get(path)
        assert answer.header["server"] == "nginx"
        assert "x-powered-by" not in answer.header
        assert "nginx/" not in answer.body


def test_the_webmail_hears_the_true_client_and_nothing_that_he_claims(door: Nginx) -> None:
    forged = (
        "X-Forwarded-For: 8.8.8.8",
        "X-Real-IP: 8.8.8.8",
        "Forwarded: for=8.8.8.8",
        "X-Forwarded-Proto: http",
    )
    options = [word for line in forged for word in ("--header", line)]

    header = json.loads(door.get("/", *options).body)["header"]

    assert header["Host"] == HOSTNAME
    assert header["X-Forwarded-For"] == "127.0.0.1"
    assert header["X-Forwarded-Proto"] == "https"
    assert "8.8.8.8" not in str(header)


def test_another_name_gets_no_page(door: Nginx) -> None:
    answer = door.get("/", "--header", "Host: evil.example")

    assert answer.status == 421


@pytest.mark.parametrize(
    "path",
    [
        "/config/config.inc.php",
        "/installer/",
        "/logs/errors.log",
        "/temp/",
        "/SQL/mysql.initial.sql",
        "/bin/update.sh",
        "/.git/config",
        "/vendor/autoload.php",
        "/composer.json",
        "/plugins/password/config.inc.php",
        "/program/../config/config.inc.php",
        "/program/%2e%2e/config/config.inc.php",
        "/program/lib/Roundcube/bootstrap.php",
        "/program/x.php/y.css%00.php",
        "/index.php/x",
    ],
)
def test_nothing_of_the_program_is_reachable_but_its_page_and_its_looks(door: Nginx, path: str) -> None:
    answer = door.get(path)

    assert answer.status in (400, 404)
    assert "method" not in answer.body


def test_its_looks_are_passed_and_kept(door: Nginx) -> None:
    answer = door.get("/skins/elastic/styles/styles.min.css?s=1")

    assert json.loads(answer.body)["path"] == "/skins/elastic/styles/styles.min.css?s=1"
    assert "max-age=604800" in answer.header["cache-control"]


def test_the_well_known_places_lead_somewhere(door: Nginx) -> None:
    change = door.get("/.well-known/change-password")
    account = door.get("/.well-known/autoconfig/mail/config-v1.1.xml")

    assert change.status == 302
    assert change.header["location"].endswith("/?_task=settings&_action=plugin.password")
    assert f"<hostname>{HOSTNAME}</hostname>" in account.body
    assert "@" not in re.sub("<!--.*?-->", "", account.body)


def test_what_is_too_large_is_said_in_both_languages(door: Nginx, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"x" * 24_000_000)
    large.write_bytes(b"x" * 27_000_000)

    passed = door.get("/?_task=mail", "--data-binary", f"@{small}")
    refused = door.get("/?_task=mail", "--data-binary", f"@{large}")

    assert passed.status == 200
    assert refused.status == 413
    assert "20MB" in refused.body
    assert "too large" in refused.body


def test_a_webmail_that_is_away_is_excused(tmp_path: Path) -> None:
    with Nginx(tmp_path, "127.0.0.1:9") as door:
        answer = door.get("/")

    assert answer.status == 502
    assert "しばらく" in answer.body or "1分ほど" in answer.body
    assert answer.header["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/?_task=login", "/", "/index.php"])
def test_logins_are_counted_and_the_guesser_waits(fresh_door: Nginx, path: str) -> None:
    options = ("--data", "_task=login&_action=login&_user=taro%40example.jp&_pass=guess")

    statuses = [fresh_door.get(path, *options).status for _ in range(14)]
    last = fresh_door.get(path, *options)

    assert statuses[:11] == [200] * 11
    assert statuses[11:] == [429] * 3
    assert "しばらくお待ちください" in last.body
    assert fresh_door.get("/?_task=mail").status == 200


def test_a_false_cookie_buys_few_guesses_more(fresh_door: Nginx) -> None:
    """Whoever pretends to be logged in is slowed down by the second limit."""
    done = subprocess.run(
        [
            *("curl", "--silent", "--http1.1", "--cacert", str(fresh_door.authority.path)),
            *("--resolve", f"{HOSTNAME}:{fresh_door.https}:127.0.0.1", "--output", "/dev/null"),
            *("--write-out", "%{http_code}\n", "--data", "_task=login", "--cookie", "roundcube_sessauth=x"),
            f"https://{HOSTNAME}:{fresh_door.https}/?_task=mail&_try=[1-120]",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split().count("429") > 30


def test_the_log_names_no_query(door: Nginx) -> None:
    door.get("/?_task=mail&_search=secret-of-the-query")

    assert '"GET /" 200' in door.log()
    assert "secret-of-the-query" not in door.log()


@pytest.mark.parametrize("hostname", ["", "mail.example.jp; evil", "a|b"])
def test_a_host_name_that_is_none_is_refused_at_start(door: Nginx, hostname: str) -> None:
    done = subprocess.run(
        [str(START)],
        env={**door.environ, "MAIL_HOSTNAME": hostname},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "MAIL_HOSTNAME" in done.stderr
