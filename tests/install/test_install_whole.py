"""install.sh from a bare machine to a running server, again, and away."""

from __future__ import annotations

import json
import os
import subprocess

from tests.admin.person import Person
from tests.install.bare_machine import INSTALL, PASSWORD, SENDGRID_KEY, BareMachine
from tests.rig.process import ROOT, find_program

STACK = ROOT / "dell-stack"
SCRIPTS = [STACK / "install.sh", STACK / "prepare.sh", *sorted((STACK / "install").glob("*.sh"))]


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def test_the_scripts_pass_shellcheck() -> None:
    shellcheck = find_program("shellcheck", package="shellcheck")

    # What install.sh reads in is looked at with it.
    done = subprocess.run(
        [shellcheck, "-x", "install.sh"], cwd=STACK, capture_output=True, text=True, check=False
    )

    assert done.stdout == ""
    assert done.returncode == 0


def test_bash_reads_every_script_to_its_end() -> None:
    for script in SCRIPTS:
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_a_bare_machine_becomes_a_mail_server_without_anybody_there(bare: BareMachine) -> None:
    run = bare.install()

    assert run.code == 0, run.said
    assert "The mail server at home is running" in run.said
    env = values(bare.read("/opt/mxgw/dell-stack/.env"))
    assert env["TAILSCALE_IP"] == "100.64.0.1"
    assert env["MAIL_HOSTNAME"] == "mailserver.tail1234.ts.net"
    assert env["EDGE_HOSTNAME"] == "mx.example.jp"
    assert env["POSTMASTER_ADDRESS"] == "postmaster@example.jp"
    secrets = [text for name, text in env.items() if name.endswith(("_PASSWORD", "_KEY"))]
    assert len(set(secrets)) == len(secrets)
    assert bare.shell("stat -c %a /opt/mxgw/dell-stack/.env").strip() == "600"
    assert bare.shell("sysctl -n net.ipv4.ip_nonlocal_bind").strip() == "1"
    assert json.loads(bare.read("/etc/docker/daemon.json")) == {
        "selinux-enabled": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "20m", "max-file": "10"},
    }
    assert bare.state()["domains"] == ["example.jp", "example.com"]
    assert bare.state()["users"] == ["taro@example.jp"]
    assert bare.state()["aliases"] == ["postmaster@example.com", "postmaster@example.jp"]


def test_no_secret_is_on_a_command_line_or_in_the_log(bare: BareMachine) -> None:
    assert bare.install().code == 0

    env = values(bare.read("/opt/mxgw/dell-stack/.env"))
    told = "\n".join([*bare.calls(), bare.read("/var/log/mxgw-install.log")])

    for secret in (PASSWORD, SENDGRID_KEY, "tskey-auth", env["MXGW_SEAL_KEY"], env["ADMIN_DB_PASSWORD"]):
        assert secret not in told


def test_every_package_of_python_is_locked_by_its_hash(bare: BareMachine) -> None:
    assert bare.install().code == 0

    pip = [call for call in bare.calls() if " -m pip " in call or call.startswith("python -m pip")]

    assert len(pip) == 3
    assert all("--require-hashes" in call or "--no-index --force-reinstall /opt/mxgw" in call for call in pip)


def test_a_second_run_changes_nothing(installed: BareMachine) -> None:
    files, calls = installed.files(), len(installed.calls())

    run = installed.install(lang="ja")

    assert run.code == 0, run.said
    assert "何も変えていません" in run.said
    assert installed.files() == files
    changing = (
        "install -y",
        " build ",
        " up ",
        "enable",
        "restart",
        " add ",
        "cert ",
        "venv",
        "pip",
        "daemon-reload",
    )
    asked = [call for call in installed.calls()[calls:] if any(word in call for word in changing)]
    assert [call for call in asked if "is-enabled" not in call] == []


def test_check_shows_the_state_and_changes_nothing(bare: BareMachine) -> None:
    files = bare.files()

    run = bare.run("--check", lang="ja")

    assert run.code == 1
    assert "✖ Docker と Compose" in run.said
    assert "件が未完了です" in run.said
    assert bare.files() == files
    assert bare.shell("ls /var/log/mxgw-install.log").startswith("ls: cannot access")


def test_check_is_content_with_an_installed_machine(installed: BareMachine) -> None:
    run = installed.run("--check")

    assert run.code == 0, run.said
    assert "✖" not in run.said
    assert "All is in place." in run.said


def test_a_person_is_asked_in_japanese_and_wrong_answers_are_asked_again(bare: BareMachine) -> None:
    command = [*bare.inside(), INSTALL]
    with Person(command, bare.environ("ja")) as person:
        person.sees("tailnet でのこの機械の名前 [mailserver]")
        person.types("Mail Server")
        person.sees("使えるのは半角の英小文字・数字・- だけです。")
        person.types("")
        person.sees("https://login.tailscale.com/a/")
        person.sees("システムディスクにメールを保存しますか")
        person.types("maybe")
        person.sees("y か n で答えてください。")
        person.types("y")
        person.sees("メールボックスを置くドメイン")
        person.types("Example JP")
        person.sees("カンマ区切り、空白なしで")
        person.types("example.jp")
        person.sees("MX レコードが指す名前")
        person.types("localhost")
        person.sees("mx.example.jp のような名前")
        person.types("")
        person.sees("送信の不具合を知らせるメールボックス [postmaster@example.jp]")
        person.types("postmaster")
        person.sees("taro@example.jp のようなアドレス")
        person.types("")
        person.sees("SendGrid の API キー")
        person.types("secret")
        person.sees("SG.xxxx.yyyy の形です")
        person.types(SENDGRID_KEY)
        if "ALERT_MAIL_TO" in (STACK / ".env.example").read_text():
            person.sees("警報の送り先")
            person.types("taro@example.jp")
            person.sees("このサーバー上のアドレスです")
            person.types("taro@example.net")
        person.sees("最初のメールアドレス")
        person.types("taro@example.org")
        person.sees("example.org はこのサーバーのドメインではありません。")
        person.types("taro@example.jp")
        person.sees("自宅のメールサーバーが動いています。")
        assert person.ends() == 0
        # It was typed, and not shown.
        assert SENDGRID_KEY not in person.screen
    assert bare.state()["users"] == ["taro@example.jp"]


def test_after_five_wrong_answers_it_stops(bare: BareMachine) -> None:
    with Person([*bare.inside(), INSTALL], bare.environ()) as person:
        for _ in range(5):
            person.sees("Name of this machine in the tailnet")
            person.types("-")
        person.sees("No usable answer after 5 tries.")

        assert person.ends() == 1


def test_what_the_administrator_has_set_stays(bare: BareMachine) -> None:
    bare.put("/etc/docker/daemon.json", '{"dns": ["192.0.2.1"], "log-opts": {"max-size": "5m"}}')

    assert bare.install().code == 0

    settings = json.loads(bare.read("/etc/docker/daemon.json"))
    assert settings["dns"] == ["192.0.2.1"]
    assert settings["log-opts"] == {"max-size": "5m", "max-file": "10"}
    assert settings["selinux-enabled"] is True
    assert "192.0.2.1" in bare.read("/etc/docker/daemon.json.before-mxgw")


def test_other_containers_are_asked_for_before_docker_restarts(bare: BareMachine) -> None:
    assert bare.install().code == 0
    bare.set_state(others=["nextcloud", "dell-stack-home-1"])
    bare.put("/etc/docker/daemon.json", "{}")

    run = bare.install(RESTART_DOCKER="n")

    assert run.code == 1
    assert "Docker was left as it is." in run.said
    assert bare.read("/etc/docker/daemon.json").strip() == "{}"

    assert bare.install(RESTART_DOCKER="y").code == 0
    assert "systemctl restart docker" in bare.calls()


def test_new_sources_are_installed_and_built_anew(installed: BareMachine) -> None:
    installed.shell("echo '# newer' >>/opt/mxgw/mxgw/__init__.py")
    calls = len(installed.calls())

    run = installed.install()

    assert run.code == 0, run.said
    since = "\n".join(installed.calls()[calls:])
    assert "--force-reinstall /opt/mxgw" in since
    assert "--tag mxgw:" in since
    assert "--tag mxgw-postfix:" not in since


def test_a_variable_that_a_newer_version_needs_is_asked_for(installed: BareMachine) -> None:
    installed.shell("printf 'NEW_THING=\\n' >>/opt/mxgw/dell-stack/.env.example")

    run = installed.install()
    assert run.code == 1
    assert "NEW_THING" in run.said

    assert installed.install(NEW_THING="value").code == 0
    assert values(installed.read("/opt/mxgw/dell-stack/.env"))["NEW_THING"] == "value"
    installed.shell("sed -i /NEW_THING/d /opt/mxgw/dell-stack/.env.example /opt/mxgw/dell-stack/.env")
    assert installed.run("--check").code == 0


def test_a_machine_that_was_renamed_is_asked_for(installed: BareMachine) -> None:
    tailscale = installed.state()["tailscale"]
    installed.set_state(tailscale=tailscale | {"name": "renamed"})

    run = installed.install(CHANGE_MAIL_HOSTNAME="n")
    assert run.code == 1
    assert "MAIL_HOSTNAME was left at mailserver.tail1234.ts.net" in run.said

    assert installed.install(CHANGE_MAIL_HOSTNAME="y").code == 0
    # And the certificate is one of the new name.
    subject = installed.shell("openssl x509 -noout -subject -in /data/docker/volumes/mailserver/tls/cert.pem")
    assert "renamed.tail1234.ts.net" in subject
    installed.set_state(tailscale=tailscale)
    assert installed.install(CHANGE_MAIL_HOSTNAME="y").code == 0


def test_units_are_installed_and_their_timers_switched_on(installed: BareMachine) -> None:
    installed.put("/opt/mxgw/dell-stack/systemd/mxgw-try.service", "[Service]\nExecStart=/bin/true\n")
    installed.put("/opt/mxgw/dell-stack/systemd/mxgw-try.timer", "[Timer]\nOnCalendar=daily\n")

    assert installed.run("--check").code == 1
    assert installed.install().code == 0

    assert "mxgw-try.timer" in installed.state()["enabled"]
    assert "mxgw-try.service" not in installed.state()["enabled"]
    assert installed.read("/etc/systemd/system/mxgw-try.timer") == "[Timer]\nOnCalendar=daily\n"
    installed.shell("rm /opt/mxgw/dell-stack/systemd/mxgw-try.*")


def test_uninstalling_keeps_mail_and_settings(bare: BareMachine) -> None:
    assert bare.install().code == 0
    bare.put("/data/docker/volumes/mailserver/mail/letter", "dear all")

    bare.put("/root/yes", "UNINSTALL=y\n", mode=0o600)
    run = bare.run("--uninstall", "--answers", "/root/yes")

    assert run.code == 0, run.said
    assert bare.read("/data/docker/volumes/mailserver/mail/letter") == "dear all"
    assert "MXGW_SEAL_KEY=" in bare.read("/opt/mxgw/dell-stack/.env")
    assert bare.state()["services"] == {}
    assert [name for name in bare.state()["enabled"] if name.startswith("mxgw")] == []
    assert "No such file" in bare.read("/usr/local/bin/mxgw")

    # And it comes back, with the same passwords.
    env = bare.read("/opt/mxgw/dell-stack/.env")
    assert bare.install().code == 0
    assert bare.read("/opt/mxgw/dell-stack/.env") == env


def test_the_command_asks_the_container_for_people_and_the_host_for_the_rest(installed: BareMachine) -> None:
    calls = len(installed.calls())

    for words in (
        "admin --lang ja user list",
        "admin device list",
        "admin backup list",
        "doctor",
        "admin --help",
    ):
        installed.shell(f"mxgw {words} </dev/null")

    asks = "docker compose --progress quiet version"
    compose = "docker compose --project-directory /opt/mxgw/dell-stack --progress quiet run --rm -T"
    assert installed.calls()[calls:] == [
        asks,
        f"{compose} --env LANG=en_US.UTF-8 admin --lang ja user list",
        asks,
        f"{compose} --env LANG=en_US.UTF-8 admin device list",
        "mxgw admin backup list",
        "mxgw doctor",
        "mxgw admin --help",
    ]


def test_a_compose_that_cannot_be_quiet_is_asked_all_the_same(installed: BareMachine) -> None:
    installed.breaks(("docker compose --progress quiet version", "unknown flag: --progress"))

    installed.shell("mxgw admin user list </dev/null")

    compose = "docker compose --project-directory /opt/mxgw/dell-stack run --rm -T"
    assert installed.calls()[-1] == f"{compose} --env LANG=en_US.UTF-8 admin user list"


def test_help_and_mistakes_on_the_command_line(bare: BareMachine) -> None:
    assert "--answers FILE" in bare.run("--help").said
    assert "何も変えずに" in bare.run("--help", lang="ja").said
    assert "Usage" in bare.run("--lang", "en", "--help", lang="ja").said
    for words, told in (
        (["--lang", "fr"], "--lang needs ja or en."),
        (["--answers"], "--answers needs a file."),
        (["--answers", "/none"], "/none does not exist."),
        (["now"], "Unknown: now"),
    ):
        run = bare.run(*words)
        assert run.code == 2
        assert told in run.said
    bare.put("/root/open", "MAIL_DOMAINS=example.jp\n", mode=0o644)
    assert "chmod 600 /root/open" in bare.run("--answers", "/root/open").said


def test_two_at_once_are_one_too_many(bare: BareMachine) -> None:
    holder = subprocess.Popen(
        [*bare.inside(), "flock", "/run/mxgw-install.lock", "sh", "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | bare.environ(),
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"

    run = bare.install()

    holder.communicate(b"\n")
    assert run.code == 1
    assert "running already" in run.said
