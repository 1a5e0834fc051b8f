"""The machine's certificate is renewed in time, and whoever is connected notices nothing."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from mxgw.admin.words import Language, Words
from tests.admin.admin_house import PASSWORD, AdminHouse, Told, admin
from tests.aws.certificates import Pair, make_pair
from tests.dell.cells import HOSTNAME
from tests.dell.compose_file import STACK
from tests.rig.docker_stand_in import DockerStandIn
from tests.rig.process import find_program

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])

TAILSCALE = """\
#!/bin/sh
# What `tailscale cert --cert-file=F --key-file=F NAME` does, or says.
echo "$*" >>{place}/tailscale.log
if [ -s {place}/says ]; then cat {place}/says >&2; exit 1; fi
for argument; do
    case $argument in
        --cert-file=*) cp {place}/next.pem "${{argument#*=}}" ;;
        --key-file=*) cp {place}/next.key "${{argument#*=}}" ;;
    esac
done
"""

NOTHING_RUNS = """\
#!/bin/sh
echo "$*" >>{place}/docker.log
"""


class Machine:
    """A stack with its .env, a tailscale that gives ``next`` out, and a docker."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.bin = place / "bin"
        self.bin.mkdir()
        self.state = place / "state"
        self.tls = place / "data" / "tls"
        self.tls.mkdir(parents=True)
        tailscale = self.bin / "tailscale"
        tailscale.write_text(TAILSCALE.format(place=place))
        tailscale.chmod(0o755)
        self.name = HOSTNAME
        docker = self.bin / "docker"
        docker.write_text(NOTHING_RUNS.format(place=place))
        docker.chmod(0o755)
        self.gives(make_pair(HOSTNAME, days=90))

    def gives(self, pair: Pair) -> None:
        (self.place / "next.pem").write_text(pair.certificate)
        (self.place / "next.key").write_text(pair.key)

    def says(self, text: str) -> None:
        (self.place / "says").write_text(text)

    def has(self, pair: Pair) -> None:
        (self.tls / "cert.pem").write_text(pair.certificate)
        (self.tls / "key.pem").write_text(pair.key)

    def certificate(self) -> str:
        return (self.tls / "cert.pem").read_text()

    def asked(self, program: str) -> list[str]:
        log = self.place / f"{program}.log"
        return log.read_text().splitlines() if log.exists() else []

    def run(self, *arguments: str, lang: str = "en", **settings: str) -> Told:
        values = {"MAIL_HOSTNAME": self.name, "MAILSERVER_DATA": str(self.tls.parent)}
        (self.place / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        places = ["--stack", str(self.place), "--state", str(self.state)]
        settings = {"PATH": f"{self.bin}:{os.environ['PATH']}", **settings}
        return admin("certificate", *arguments, *places, settings=settings, lang=lang)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def host(told: Told) -> dict[str, object]:
    (found,) = [it for it in told.facts["certificates"] if it["certificate"] == "host"]
    return dict(found)


def test_one_that_lasts_for_a_month_is_left_alone(machine: Machine) -> None:
    machine.has(make_pair(HOSTNAME, days=31))

    told = machine.run("renew")

    assert told.code == 0
    assert (machine.asked("tailscale"), machine.asked("docker")) == ([], [])


def test_the_docker_that_the_machine_names_is_the_one_that_is_asked(machine: Machine) -> None:
    other = (machine.bin / "docker").rename(machine.bin / "other")

    machine.run("renew", MXGW_DOCKER=str(other))

    assert machine.asked("docker") != [], "the services were told"


@pytest.mark.parametrize("there", [None, make_pair(HOSTNAME, days=29), make_pair("other.example.ts.net")])
def test_one_that_is_missing_ends_soon_or_has_another_name_is_replaced(
    machine: Machine, there: Pair | None
) -> None:
    if there is not None:
        machine.has(there)

    told = machine.run("renew")

    assert told.code == 0, told.out + told.err
    assert machine.certificate() == (machine.place / "next.pem").read_text()
    modes = {name: stat.S_IMODE((machine.tls / name).stat().st_mode) for name in os.listdir(machine.tls)}
    assert modes == {"cert.pem": 0o644, "key.pem": 0o600}
    kept = json.loads((machine.state / "certificate.json").read_text())["host"]
    ends = x509.load_pem_x509_certificate(machine.certificate().encode()).not_valid_after_utc
    assert kept == {"not_after": ends.isoformat(), "why": "", "reload": []}
    assert datetime.fromisoformat(kept["not_after"]) > datetime.now(UTC)


def test_where_tailscale_has_no_newer_one_nobody_is_bothered(machine: Machine) -> None:
    same = make_pair(HOSTNAME, days=20)
    machine.has(same)
    machine.gives(same)

    told = machine.run("renew")

    assert told.code == 0
    assert host(told)["message"] == Words(Language.EN)("certificate-same")
    assert machine.asked("docker") == []


def mixed() -> Pair:
    one, other = make_pair(HOSTNAME), make_pair(HOSTNAME)
    return Pair(one.name, one.certificate, other.key, one.ends)


@LANGUAGES
@pytest.mark.parametrize(
    ("pair", "key"),
    [
        (make_pair("laptop.example.ts.net"), "certificate-other-name"),
        (make_pair(HOSTNAME, days=-1), "new-certificate-ended"),
        (mixed(), "certificate-key-differs"),
        (Pair("", "hello", "world", datetime.now(UTC)), "new-certificate-unreadable"),
    ],
)
def test_a_pair_that_would_stop_the_servers_is_not_taken(
    machine: Machine, pair: Pair, key: str, lang: str
) -> None:
    old = make_pair(HOSTNAME, days=3)
    machine.has(old)
    machine.gives(pair)

    told = machine.run("renew", lang=lang)

    assert told.code == 1
    facts = {"name": HOSTNAME, "names": pair.name}
    assert host(told)["message"] == Words(Language(lang))(key, **facts)
    assert machine.certificate() == old.certificate
    assert set(os.listdir(machine.tls)) == {"cert.pem", "key.pem"}


NO_HTTPS = "500 Internal Server Error: your Tailscale account does not support getting TLS certs"
SAYINGS = [
    (
        "500 Internal Server Error: your Tailscale account does not support getting TLS certs",
        "tailscale-no-https",
    ),
    ("Tailscale is not running: state NeedsLogin", "tailscale-logged-out"),
    ('invalid domain "x"; must be one of ["y"]', "tailscale-other-name"),
    ("acme: rate limited", "tailscale-refuses"),
]


@LANGUAGES
@pytest.mark.parametrize(("saying", "key"), SAYINGS)
def test_what_tailscale_says_becomes_what_to_do(machine: Machine, saying: str, key: str, lang: str) -> None:
    machine.says(saying)

    told = machine.run("renew", lang=lang)

    assert told.code == 1
    assert host(told)["message"] == Words(Language(lang))(key, name=HOSTNAME, why=saying)


def test_without_the_programs_or_the_name_there_is_a_sentence(machine: Machine) -> None:
    (machine.bin / "tailscale").unlink()
    missing = machine.run("renew")
    machine.name = "mail"
    nameless = machine.run("renew")

    assert host(missing)["message"] == Words(Language.EN)("tailscale-missing")
    assert (nameless.code, nameless.facts["error"]) == (2, "bad-host-name-setting")


NGINX_IS_ILL = """\
#!/bin/sh
case $4 in
    ps) echo '{"Service": "nginx", "State": "running"}' ;;
    *) echo 'nginx: bad config' >&2; exit 1 ;;
esac
"""


@LANGUAGES
def test_a_service_that_does_not_take_it_up_is_asked_again_the_next_time(machine: Machine, lang: str) -> None:
    docker = machine.bin / "docker"
    good = docker.read_text()
    docker.write_text(NGINX_IS_ILL)

    failed = machine.run("renew", lang=lang)
    docker.write_text(good)
    mended = machine.run("renew", lang=lang)

    assert failed.code == 1
    why = "nginx: nginx: bad config"
    assert host(failed)["message"] == Words(Language(lang))("certificate-not-reloaded", why=why)
    assert mended.code == 0
    assert [call.partition(" ps ")[2] for call in machine.asked("docker")] == ["--all --format json"]
    assert len(machine.asked("tailscale")) == 1


# -- with the services themselves ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full_house(house: AdminHouse) -> Iterator[AdminHouse]:
    """Dovecot, and beside it Postfix and nginx."""
    find_program("postfix", package="postfix")
    find_program("nginx", package="nginx-light")
    find_program("wget", package="wget")
    house.host.place.directory("data/postfix")
    house.host.cell(
        "postfix",
        command=["env", "MAIL_CONFIG=/run/postfix/etc", "/opt/postfix/entrypoint"],
        mounts={"/opt/postfix": STACK / "postfix"},
    ).start()
    house.host.cell("nginx").start()
    yield house
    for service in ("nginx", "postfix"):
        house.host.cells[service].child.stop()


def shown(house: AdminHouse, port: int) -> str:
    """The certificate that a new client is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with house.connect(port) as plain, context.wrap_socket(plain, server_hostname=HOSTNAME) as wrapped:
        return ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(binary_form=True) or b"")


def test_the_services_take_it_up_and_who_is_connected_stays(full_house: AdminHouse, machine: Machine) -> None:
    house = full_house
    services = {name: house.host.cells[name] for name in ("dovecot", "postfix", "nginx")}
    machine.tls = house.host.data / "tls"
    before = machine.certificate()
    address = house.user("idler")
    imap = house.imap("idler", PASSWORD)
    imap.select("INBOX")
    imap.send(b"i1 IDLE\r\n")
    assert imap.readline().startswith(b"+")
    with house.host.inside():
        sending = smtplib.SMTP_SSL("127.0.0.1", 465, timeout=60, context=house.trust)
    pids = {name: cell.child.pid for name, cell in services.items()}

    with DockerStandIn(house.host, machine.bin):
        told = machine.run("renew", "--force")

    assert told.code == 0, told.out + told.err
    new = x509.load_pem_x509_certificate((machine.place / "next.pem").read_bytes())
    assert machine.certificate() != before
    for port in (993, 465, 443):
        assert x509.load_pem_x509_certificate(shown(house, port).encode()) == new, port
    assert [reply.code for reply in house.deliver(b"Subject: hello\r\n\r\nhello\r\n", address)] == [250]
    assert imap.readline().endswith(b" EXISTS\r\n")
    imap.send(b"DONE\r\n")
    assert any(b"i1 OK" in imap.readline() for _ in range(3))
    assert sending.noop()[0] == 250
    assert {name: cell.child.pid for name, cell in services.items() if cell.child.running} == pids
    sending.quit()
    imap.logout()
