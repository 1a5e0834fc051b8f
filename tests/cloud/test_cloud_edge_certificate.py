"""The MX's certificate: from a real ACME authority, by a challenge in DNS, into the edge's secret."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mxgw.admin.cloud.certificates import Pair, checked
from mxgw.admin.words import Language, Words
from tests.admin.admin_house import Told, admin
from tests.admin.person import Person
from tests.aws.certificates import make_pair
from tests.aws.cloud import Cloud, empty_cloud
from tests.cli.support import PROGRAM, environment
from tests.cloud.fake_api import TOKEN, FakeCloudflare
from tests.cloud.pebble import Pebble, ZoneThread
from tests.rig.process import find_program

SECRET = "mxgw-tls"
MX = "mx.example.jp"
HOST = "mail.example.ts.net"
LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])


@pytest.fixture(scope="module")
def dns() -> Iterator[ZoneThread]:
    with ZoneThread() as running:
        yield running


@pytest.fixture(scope="module")
def pebble(dns: ZoneThread) -> Iterator[Pebble]:
    with Pebble(dns.address) as running:
        yield running


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    with empty_cloud() as running:
        yield running


@pytest.fixture
def zone(dns: ZoneThread) -> Iterator[FakeCloudflare]:
    with FakeCloudflare("example.jp") as running:
        dns.shows(running)
        yield running


class Site:
    """A stack whose host certificate is good for long, so that only the edge's is at stake."""

    def __init__(
        self, place: Path, pebble: Pebble, dns: ZoneThread, account: Cloud, zone: FakeCloudflare
    ) -> None:
        self.place = place
        self.state = place / "state"
        self.account = account
        tls = place / "data" / "tls"
        tls.mkdir(parents=True)
        host = make_pair(HOST)
        (tls / "cert.pem").write_text(host.certificate)
        (tls / "key.pem").write_text(host.key)
        self.values = {
            "MAIL_HOSTNAME": HOST,
            "MAILSERVER_DATA": str(place / "data"),
            "EDGE_HOSTNAME": MX,
            "EDGE_TLS_SECRET": SECRET,
            "ACME_EMAIL": "admin@example.jp",
            "ACME_DIRECTORY": pebble.directory,
            "CLOUDFLARE_API_TOKEN": TOKEN,
            "CLOUDFLARE_API_URL": zone.base,
        }
        self.settings = {
            **account.environment(),
            "REQUESTS_CA_BUNDLE": str(pebble.trust),
            "MXGW_DNS": dns.address,
        }

    def run(self, *arguments: str, lang: str = "en", **changes: str) -> Told:
        settings = {name: text for name, text in self.settings.items() if name not in changes}
        gone = {name: "" for name in ("AWS_SECRET_ACCESS_KEY",) if "AWS_ACCESS_KEY_ID" in changes}
        text = "".join(f"{name}={value}\n" for name, value in {**self.values, **changes}.items())
        (self.place / ".env").write_text(text)
        places = ["--stack", str(self.place), "--state", str(self.state)]
        return admin("certificate", *arguments, *places, settings={**settings, **gone}, lang=lang)

    def secret(self) -> Pair:
        client = self.account.client("secretsmanager")
        told = json.loads(client.get_secret_value(SecretId=SECRET)["SecretString"])
        assert set(told) == {"certificate", "key"}
        return Pair(told["certificate"], told["key"])


@pytest.fixture
def site(tmp_path: Path, pebble: Pebble, dns: ZoneThread, account: Cloud, zone: FakeCloudflare) -> Site:
    account.put_secret(SECRET, make_pair(MX, days=29).plain())
    return Site(tmp_path, pebble, dns, account, zone)


def edge(told: Told) -> dict[str, object]:
    (found,) = [it for it in told.facts["certificates"] if it["certificate"] == "edge"]
    return dict(found)


def test_a_certificate_is_had_and_put_where_the_edge_reads_it(
    site: Site, zone: FakeCloudflare, pebble: Pebble
) -> None:
    told = site.run("renew")

    assert told.code == 0, told.out + told.err
    pair = site.secret()
    assert checked(pair, MX, datetime.now(UTC)).names == (MX,)
    chain = site.place / "chain.pem"
    chain.write_text(pair.certificate)
    openssl = find_program("openssl", package="openssl")
    verify = [openssl, "verify", "-CAfile", str(pebble.root()), "-untrusted", str(chain), str(chain)]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0
    assert zone.records == {}
    assert [request.body["name"] for request in zone.asked("POST")] == [f"_acme-challenge.{MX}"]
    kept = json.loads((site.state / "certificate.json").read_text())
    assert kept["edge"] == {"not_after": edge(told)["not_after"], "why": "", "reload": []}
    assert (site.state / "acme-account.json").stat().st_mode & 0o777 == 0o600


def test_one_that_lasts_is_left_alone_unless_it_is_forced_and_the_account_stays(
    site: Site, zone: FakeCloudflare
) -> None:
    assert site.run("renew").code == 0
    first, account = site.secret(), (site.state / "acme-account.json").read_text()
    zone.requests.clear()

    again = site.run("renew")
    assert (again.code, zone.requests, site.secret()) == (0, [], first)
    forced = site.run("renew", "--force")

    # Tailscale is asked as well, which is not here: its old certificate stays, and says so.
    assert forced.code == 1
    assert edge(forced)["ok"] is True
    assert site.secret() != first
    assert (site.state / "acme-account.json").read_text() == account


def test_one_that_cannot_be_handed_over_is_kept_and_no_other_is_asked_for(
    site: Site, account: Cloud, zone: FakeCloudflare
) -> None:
    account.enforce_iam(after_requests="1")
    try:
        refused = site.run("renew")
    finally:
        account.enforce_iam(after_requests="inf")
    waiting = site.state / "edge-certificate.json"
    assert refused.code == 1
    assert waiting.stat().st_mode & 0o777 == 0o600
    kept = json.loads(waiting.read_text())
    zone.requests.clear()

    assert site.run("renew").code == 0
    assert site.secret() == Pair(kept["certificate"], kept["key"])
    assert zone.requests == []
    assert not waiting.exists()


def test_a_certificate_for_another_name_does_not_last(site: Site, account: Cloud) -> None:
    account.put_secret(SECRET, make_pair("old.example.jp").plain())

    assert site.run("renew").code == 0
    assert checked(site.secret(), MX, datetime.now(UTC)).names == (MX,)


@LANGUAGES
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"CLOUDFLARE_API_TOKEN": ""}, "CLOUDFLARE_API_TOKEN"),
        ({"CLOUDFLARE_API_TOKEN": "revoked"}, "CLOUDFLARE_API_TOKEN"),
        ({"ACME_DIRECTORY": "https://127.0.0.1:1/dir"}, "https://127.0.0.1:1/dir"),
        ({"EDGE_TLS_SECRET": "no-such-secret"}, "no-such-secret"),
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_what_fails_leaves_the_old_one_in_use_and_says_why(
    site: Site, changes: dict[str, str], says: str, lang: str
) -> None:
    before = site.secret()

    told = site.run("renew", lang=lang, **changes)

    assert told.code == 1
    assert edge(told)["ok"] is False
    assert says in str(edge(told)["message"])
    assert site.secret() == before
    assert site.place.joinpath("state", "edge-certificate.json").exists() is False
    assert json.loads((site.state / "certificate.json").read_text())["edge"]["why"] == edge(told)["message"]


def test_what_the_authority_does_not_find_is_told_and_cleaned_up(
    site: Site, zone: FakeCloudflare, dns: ZoneThread, pebble: Pebble
) -> None:
    with ZoneThread() as other:
        # The servers that we ask have the record; those that the authority asks do not.
        other.shows(zone)
        site.settings["MXGW_DNS"] = other.address
        told = site.run("renew")

    assert told.code == 1
    assert MX in str(edge(told)["message"])
    assert zone.records == {}


@LANGUAGES
def test_show_tells_until_when_both_are_good(site: Site, lang: str) -> None:
    told = site.run("show", lang=lang)

    assert told.code == 0
    assert [it["days_left"] for it in told.facts["certificates"]] == [59, 28]


def test_a_state_that_cannot_be_written_is_a_sentence(site: Site) -> None:
    site.state.write_text("in the way")

    told = site.run("renew")

    assert (told.code, told.facts["error"]) == (1, "state-unwritable")


@LANGUAGES
def test_a_person_sees_a_table(site: Site, lang: str) -> None:
    words = Words(Language(lang))
    site.run("show")
    environ = environment({**site.settings, "LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm"})
    setsid = find_program("setsid", package="util-linux")
    command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "certificate", "show"]

    with Person([*command, "--stack", str(site.place)], environ) as someone:
        someone.sees(words("column-until"))
        someone.sees(words("certificate-host"))
        someone.sees(words("certificate-days", days=59))
        someone.sees(words("certificate-edge"))
        someone.sees(words("certificate-days", days=28))
        assert someone.ends() == 0
    assert f"\x1b[32m{words('level-ok')}" in someone.raw


def test_without_a_secret_only_the_machine_is_looked_at(site: Site) -> None:
    told = site.run("show", EDGE_TLS_SECRET="")

    assert [it["certificate"] for it in told.facts["certificates"]] == ["host"]
