"""Each step of install.sh, failing: it stops there, says why and what to do; mended, it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.install.bare_machine import BareMachine

DATA = "/data/docker/volumes/mailserver"
ENV = "/opt/mxgw/dell-stack/.env"
COMPOSE = "docker compose --project-directory /opt/mxgw/dell-stack"


@dataclass(frozen=True, slots=True)
class Fault:
    """``breaks`` the machine; what is said then, in two languages; ``mends`` it."""

    step: str
    breaks: Callable[[BareMachine], object]
    english: str
    japanese: str
    mends: Callable[[BareMachine], object] = lambda machine: None


def tailnet(**facts: object) -> Callable[[BareMachine], object]:
    return lambda machine: machine.set_state(tailscale=machine.state()["tailscale"] | facts)


def shell(command: str) -> Callable[[BareMachine], object]:
    return lambda machine: machine.shell(command)


def failing(call: str, *, after: str = "true") -> Callable[[BareMachine], object]:
    def breaks(machine: BareMachine) -> None:
        machine.shell(after)
        machine.breaks((call, f"it broke: {call}"))

    return breaks


def administration(words: str) -> list[tuple[str, str]]:
    """The call of an admin command in its container, in either language."""
    return [
        (f"{COMPOSE} --progress quiet run --rm -T --env LANG={lang}.UTF-8 admin {words}", "no database")
        for lang in ("en_US", "ja_JP")
    ]


FAULTS = [
    Fault(
        "Rocky Linux 9",
        shell("cp /etc/os-release /root/os; printf 'ID=fedora\\nVERSION_ID=41\\n' >/etc/os-release"),
        "This is fedora 41.",
        "この機械は fedora 41 です。",
        shell("cp /root/os /etc/os-release"),
    ),
    Fault(
        "Python 3.11 and small tools",
        failing("dnf install -y python3.11", after="rm /usr/bin/python3.11"),
        "it broke: dnf install",
        "インターネットに出られますか",
    ),
    Fault(
        "Docker with Compose",
        failing("dnf config-manager", after="mv /usr/bin/docker /root/"),
        "it broke: dnf config-manager",
        "dnf config-manager",
    ),
    Fault(
        "Docker with Compose",
        failing("dnf install -y --allowerasing", after="rm -f /usr/bin/docker"),
        "Is the internet reachable?",
        "インターネットに出られるか",
    ),
    Fault(
        "Docker with Compose", failing("docker info"), "Docker does not answer.", "Docker が応答しません。"
    ),
    Fault(
        "Docker with Compose",
        lambda machine: (
            machine.set_state(enabled=[]),
            machine.breaks(("systemctl enable --now docker", "no")),
        ),
        "journalctl -u docker -n 20 says why",
        "journalctl -u docker -n 20 で理由",
    ),
    Fault(
        "Docker: SELinux and rotation of logs",
        shell("echo '{broken' >/etc/docker/daemon.json"),
        "daemon.json is not JSON",
        "daemon.json が JSON ではありません",
        shell("echo '{}' >/etc/docker/daemon.json"),
    ),
    Fault(
        "Docker: SELinux and rotation of logs",
        failing("systemctl restart docker", after="rm /etc/docker/daemon.json"),
        "journalctl -u docker",
        "journalctl -u docker",
    ),
    Fault(
        "Tailscale",
        failing("dnf install -y tailscale", after="rm /usr/bin/tailscale"),
        "it broke: dnf install -y tailscale",
        "dnf install -y tailscale",
    ),
    Fault(
        "Tailscale",
        lambda machine: (
            tailnet(state="NeedsLogin")(machine),
            machine.breaks(("tailscale up", "invalid key")),
        ),
        "invalid key",
        "tailscale up のあと",
    ),
    Fault("Tailscale", tailnet(magic=False), "MagicDNS is off", "MagicDNS が無効", tailnet(magic=True)),
    Fault(
        "Tailscale",
        tailnet(https=False),
        "HTTPS certificates are off",
        "HTTPS 証明書が無効",
        tailnet(https=True),
    ),
    Fault(
        "Room for the mail",
        shell("mount -t tmpfs -o size=1g tmpfs /data"),
        "Only 1 GB are free",
        "空きが 1 GB しかありません",
        shell("umount /data"),
    ),
    Fault(
        "The program in /opt/mxgw/.venv",
        failing("python -m pip", after="rm -r /opt/mxgw/.venv"),
        "rm -r /opt/mxgw/.venv; then start install.sh again",
        "rm -r /opt/mxgw/.venv のあと",
    ),
    Fault(
        "Settings and passwords (.env)",
        shell(f"cp -p {ENV} /root/env; sed -i 's/^SENDGRID_API_KEY=.*/SENDGRID_API_KEY=/' {ENV}"),
        "looks like SG.xxxx.yyyy",
        "SG.xxxx.yyyy の形です",
        shell(f"cp -p /root/env {ENV}"),
    ),
    Fault(
        "Images",
        lambda machine: (
            machine.set_state(images={}),
            machine.breaks(("docker build", "no space left on device")),
        ),
        "no space left on device",
        "df -h",
    ),
    Fault(
        "Images",
        lambda machine: (
            machine.set_state(images={}),
            machine.breaks((f"{COMPOSE} pull", "toomanyrequests")),
        ),
        "toomanyrequests",
        "df -h",
    ),
    Fault(
        "Certificate",
        failing("tailscale cert", after=f"rm {DATA}/tls/cert.pem"),
        "Let's Encrypt gives five a week",
        "週 5 回まで",
    ),
    Fault(
        "Directories",
        shell(f"rm -r {DATA}/redis; sed -i 's/^ROUNDCUBE_DES_KEY=.*/ROUNDCUBE_DES_KEY=short/' {ENV}"),
        "ROUNDCUBE_DES_KEY is short",
        "ROUNDCUBE_DES_KEY が短すぎます",
        shell(f"sed -i 's/^ROUNDCUBE_DES_KEY=.*/ROUNDCUBE_DES_KEY=0123456789abcdef0123456789abcdef/' {ENV}"),
    ),
    Fault(
        "Containers",
        lambda machine: (
            machine.set_state(services={}),
            machine.breaks((f"{COMPOSE} up", "port is already allocated")),
        ),
        "port is already allocated",
        "logs --tail 20",
    ),
    Fault(
        "Domains",
        lambda machine: (machine.set_state(domains=[]), machine.breaks(*administration("domain add"))),
        "example.jp could not be added.",
        "example.jp を追加できませんでした。",
    ),
    Fault(
        "The first mailbox",
        lambda machine: (machine.set_state(users=[]), machine.breaks(*administration("user add"))),
        "The mailbox could not be made.",
        "メールボックスを作れませんでした。",
    ),
    Fault(
        "Somebody reads postmaster",
        lambda machine: (machine.set_state(aliases=[]), machine.breaks(*administration("alias add"))),
        "postmaster@example.com could not be led to taro@example.jp.",
        "postmaster@example.com を taro@example.jp に届けられませんでした。",
    ),
    Fault(
        "Timers",
        lambda machine: (
            machine.put("/opt/mxgw/dell-stack/systemd/mxgw-odd.timer", "[Timer]\n"),
            machine.breaks(("systemctl enable --now mxgw-odd.timer", "bad unit")),
        ),
        "systemctl status mxgw-odd.timer says why",
        "systemctl status mxgw-odd.timer で理由",
        shell("rm -f /opt/mxgw/dell-stack/systemd/mxgw-odd.timer"),
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.step}: {fault.english[:30]}")
def test_a_step_that_fails_says_why_and_what_to_do(installed: BareMachine, fault: Fault) -> None:
    answers = {"SENDGRID_API_KEY": "SG.short"} if fault.english.startswith("looks like SG") else {}
    fault.breaks(installed)

    english = installed.install(**answers)
    japanese = installed.install(lang="ja", **answers)

    assert english.code == 1, english.said
    assert f"✖ {fault.step}" in english.said
    assert fault.english in english.said
    assert "start install.sh again" in english.said
    # Nothing comes after the step that failed.
    assert english.said.count("✖") == 1
    assert japanese.code == 1
    assert fault.japanese in japanese.said
    assert "直してから install.sh をもう一度" in japanese.said

    fault.mends(installed)
    installed.breaks()
    again = installed.install()
    assert again.code == 0, again.said


def test_slow_services_are_waited_for_with_a_word_on_what_is_missing(bare: BareMachine) -> None:
    assert bare.install().code == 0
    bare.set_state(services={}, slow={"clamav": 4, "rspamd": 2})

    run = bare.install()

    assert run.code == 0, run.said
    assert "8/10 ready; waiting for rspamd=starting clamav=starting" in run.said
    assert "9/10 ready; waiting for clamav=starting" in run.said


def test_a_service_that_never_gets_well_is_named_with_its_last_words(bare: BareMachine) -> None:
    assert bare.install().code == 0
    bare.set_state(services={}, stuck="dovecot")

    run = bare.run("--answers", "/root/answers", HEALTH_SECONDS="0")

    assert run.code == 1
    assert "dovecot=starting" in run.said
    assert "ERROR: the last words of dovecot" in run.said
    assert "logs --tail 20 dovecot" in run.said


def test_who_is_not_root_is_told_to_be(installed: BareMachine) -> None:
    said = installed.shell("setpriv --reuid=65534 --clear-groups /opt/mxgw/dell-stack/install.sh")

    assert "sudo /opt/mxgw/dell-stack/install.sh" in said


def test_a_checkout_elsewhere_is_told_to_move(installed: BareMachine) -> None:
    said = installed.shell("cp -r /opt/mxgw /root/mxgw; /root/mxgw/dell-stack/install.sh; rm -r /root/mxgw")

    assert "mv /root/mxgw /opt/mxgw" in said


def test_without_anybody_there_a_question_is_an_answer_to_write_down(bare: BareMachine) -> None:
    run = bare.install(MAIL_DOMAINS="")

    assert run.code == 1
    assert "Write MAIL_DOMAINS=... into a file" in run.said


def test_a_login_to_the_tailnet_needs_somebody_or_a_key(bare: BareMachine) -> None:
    run = bare.install(lang="ja", TAILSCALE_AUTH_KEY="")

    assert run.code == 1
    assert "TAILSCALE_AUTH_KEY=..." in run.said


def test_without_a_disk_at_data_the_system_disk_is_taken_only_after_a_yes(bare: BareMachine) -> None:
    run = bare.install(SYSTEM_DISK="n")

    assert run.code == 1
    assert "Mount the large disk at /data" in run.said
    assert "No such file" in bare.shell("ls /data")


def test_a_disk_at_data_is_taken_without_a_question(bare: BareMachine) -> None:
    bare.shell("mkdir /data && mount -t tmpfs -o size=100g tmpfs /data")

    run = bare.install(SYSTEM_DISK="")

    assert run.code == 0, run.said
    assert "mailserver, 99 GB free" in run.said or "mailserver, 100 GB free" in run.said


def test_a_key_that_expires_is_warned_of(installed: BareMachine) -> None:
    tailscale = installed.state()["tailscale"]
    installed.set_state(tailscale=tailscale | {"expiry": "2027-05-01T00:00:00Z"})

    run = installed.run("--check")

    assert run.code == 0, run.said
    assert "! The key of this machine expires" in run.said
    installed.set_state(tailscale=tailscale)
