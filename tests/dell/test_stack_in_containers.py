"""The whole stack from the unchanged compose.yaml, started by Docker Compose in real containers.

Shown here: Compose 1.29 takes the file with a .env made from .env.example, prepare.sh makes the directories,
and in that order of health checks every service comes up healthy, with the users, read-only roots,
capabilities and limits of the file (memory, processor time and number of processes are held by this machine's
control groups); names are found by Docker's own name server, over the networks of the file; the published
ports alone answer at the tailnet's address, and nothing at another address of the machine; an account
made by the admin service is good for IMAPS; mail from the edge passes door, Rspamd and ClamAV into the
mailbox, and a virus does not; what is killed comes back; mail outlives its containers. And by the host's own
commands: a backup, restored on trial; the queue; the watch, which tells a stopped container and its return
once each; the update, which pulls from a registry of the tests' own in place of Docker Hub, restarts the one
service that has a new image, and brings the former image back where the next one crashes.

Not shown, since Docker Hub is not at hand: the upstream images and their entrypoints. What runs are
Debian's packages (stand_in/Dockerfile) under the names of the upstream images, Dovecot 2.3.19, Rspamd 3.4,
nginx 1.22 and Roundcube 1.6.5 among them. mxgw and mxgw-postfix are built from the project's own Dockerfiles,
on a Debian base made here. Nor: SELinux (:z and :Z are taken and do nothing), Compose 2 (the file keeps
to what both take), real signatures of ClamAV (one stands in their place), and Tailscale.
"""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
from collections.abc import Iterator, Mapping

import pytest
import yaml

from tests.dell.cells import entered
from tests.dell.compose_file import read_compose
from tests.dell.containers import ADDRESS, LAN_ADDRESS, Machine
from tests.dell.household import letter
from tests.dell.letters import mail
from tests.dell.scanning import EICAR
from tests.rig.process import wait_until
from tests.watch.watched_house import Notices

USER, PASSWORD = "taro@example.jp", "a long sentence for Taro"
PORTS = {80, 443, 465, 587, 993, 995, 2525}
RUNNING = {"home", "dovecot", "mariadb", "rspamd", "clamav", "redis", "postfix", "roundcube", "nginx"}
# Open within the networks of the stack, and to nobody else.
INNER_PORTS = {24, 143, 110, 3306, 3310, 4190, 6379, 8080, 10025, 11332, 11333, 11334, 12345}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """The stack up and healthy, with one mailbox."""
    with Machine() as running:
        running.up()
        running.wait_for_health(sorted(RUNNING))
        # The administrator's commands have the accounts put in place anew.
        running.first_states = {name: running.state(name) for name in (*RUNNING, "accounts")}
        running.admin("domain", "add", USER.partition("@")[2])
        running.admin("user", "add", USER, "--password-file", "-", stdin=f"{PASSWORD}\n")
        yield running


def test_compose_takes_the_file_with_an_env_made_from_the_example(machine: Machine) -> None:
    shown = yaml.safe_load(machine.compose("config"))

    assert set(shown["services"]) >= RUNNING
    assert machine.env_file.stat().st_mode & 0o777 == 0o600


def test_every_service_is_healthy_and_started_after_what_it_depends_on(machine: Machine) -> None:
    compose = read_compose(machine.environ)["services"]
    states = machine.first_states

    assert {
        name for name, state in states.items() if state.get("Health", {}).get("Status") == "healthy"
    } == RUNNING
    assert (states["accounts"]["Status"], states["accounts"]["ExitCode"]) == ("exited", 0)
    for name in RUNNING:
        for before, how in compose[name].get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                assert states[before]["FinishedAt"] <= states[name]["StartedAt"]
            else:
                checks = [one["End"] for one in states[before]["Health"]["Log"] if one["ExitCode"] == 0]
                assert states[before]["StartedAt"] < states[name]["StartedAt"]
                assert checks


def test_users_roots_capabilities_and_limits_are_those_of_the_file(machine: Machine) -> None:
    for name, said in read_compose(machine.environ)["services"].items():
        if name not in RUNNING:
            continue
        host = machine.inspect(name)["HostConfig"]
        assert host["ReadonlyRootfs"] is said["read_only"], name
        assert host["CapDrop"] == ["ALL"], name
        assert set(host["CapAdd"] or ()) == set(said.get("cap_add", ())), name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name
        assert min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0, name
        if "user" in said:
            asked = "import os; print(f'{os.getuid()}:{os.getgid()}')"
            done = (
                machine.execute(name, "python3", "-c", asked)
                if name == "home"
                else machine.execute(name, "sh", "-c", "echo $(id -u):$(id -g)")
            )
            assert done.stdout.strip() == said["user"], name
        if said["read_only"]:
            done = (
                machine.execute(name, "python3", "-c", "open('/etc/new', 'w')")
                if name == "home"
                else machine.execute(name, "sh", "-c", "echo > /etc/new")
            )
            assert "Read-only file system" in done.stderr, (name, done)


def test_the_published_ports_and_no_others_answer_in_the_tailnet_alone(machine: Machine) -> None:
    open_here = {port for port in PORTS | INNER_PORTS if machine.answers(ADDRESS, port)}
    open_elsewhere = {port for port in PORTS | INNER_PORTS if machine.answers(LAN_ADDRESS, port)}

    assert (open_here, open_elsewhere) == (PORTS, set())


def test_mail_from_the_edge_is_read_over_imaps_and_a_virus_is_refused(machine: Machine) -> None:
    code, said = machine.hand_in(mail("Good morning.\r\n", subject="In containers"), USER)
    infected = machine.hand_in(mail(more=EICAR + b"\r\n"), USER)
    unknown = machine.hand_in(mail(), "nobody@example.jp")

    assert code == 250, said
    arrived = machine.messages(USER, PASSWORD)
    assert any(b"Subject: In containers" in one for one in arrived), machine.words("rspamd")[-3000:]
    assert (infected[0] // 100, unknown[0]) == (5, 550)
    # The edge's name for the transaction is in the log at home and in Dovecot's.
    assert '"session":"0a1b2c3d"' in machine.words("home")
    assert "<0a1b2c3d:" in machine.words("dovecot")


def test_a_message_arrives_with_25_mib_of_files(machine: Machine) -> None:
    files = os.urandom(25 * 2**20)
    message = letter("photographs", to=USER)
    message.add_attachment(files, maintype="application", subtype="zip", filename="写真.zip")

    code, said = machine.hand_in(message.as_bytes(policy=email.policy.SMTP), USER)

    assert code == 250, said
    arrived = [
        email.message_from_bytes(one, policy=email.policy.default)
        for folder in ("INBOX", "Junk")
        for one in machine.messages(USER, PASSWORD, folder)
    ]
    attached = [part.get_content() for one in arrived for part in one.iter_attachments()]  # type: ignore[attr-defined]
    assert attached == [files]


def test_the_webmail_answers_through_nginx(machine: Machine) -> None:
    status, page = machine.page("/")

    assert status == 200
    assert "_task=login" in page or "rcmlogin" in page
    assert 'lang="ja"' in page


def test_a_backup_is_made_restored_on_trial_and_listed_by_the_host(machine: Machine) -> None:
    made = machine.host("admin", "backup", "now")
    verified = machine.host("admin", "backup", "verify")
    listed = json.loads(machine.host("admin", "backup", "list").out)

    assert made.code == 0, made.err
    assert verified.code == 0, verified.err
    assert [one["verified"] for one in listed] == [True]
    assert listed[0]["messages"] == json.loads(verified.out)["messages"] > 0


def test_queue_and_mailboxes_are_listed(machine: Machine) -> None:
    queue = machine.host("admin", "queue", "list")
    users = json.loads(machine.admin("user", "list", "--json"))

    assert (queue.code, json.loads(queue.out)) == (0, []), queue.err
    assert [one["address"] for one in users] == [USER]


def test_a_container_that_stops_is_told_once_and_so_is_its_return(machine: Machine) -> None:
    status = machine.place.file("tailscale", '#!/bin/sh\necho \'{"BackendState": "Running"}\'\n', mode=0o755)
    with entered(machine.home):
        notices = Notices()
    settings = {"TAILSCALE_COMMAND": str(status), "ALERT_WEBHOOK": f"{notices.url}/slack"}

    def rounds(count: int) -> Mapping[str, str]:
        """So many rounds of the watch; what the last one found of each container."""
        for _ in range(count):
            told = machine.host("admin", "watch", settings=settings)
        found = json.loads(told.out)["findings"]
        return {one["id"]: one["severity"] for one in found if one["id"].startswith("container-")}

    try:
        well = rounds(1)
        machine.engine.client("kill", machine.container("nginx"))
        ill = rounds(2)
        machine.engine.client("start", machine.container("nginx"))
        again = rounds(3)
    finally:
        notices.close()

    assert well == again == {f"container-{name}": "good" for name in RUNNING}
    assert ill == {**well, "container-nginx": "bad"}
    lines = [line for text in notices.texts() for line in text.splitlines()]
    assert [line for line in lines if line.startswith(("TROUBLE: nginx ", "WELL AGAIN: nginx "))] == [
        "TROUBLE: nginx does not run (exited).",
        "WELL AGAIN: nginx runs.",
    ]


def test_one_service_is_updated_and_another_image_of_it_goes_back(machine: Machine) -> None:
    machine.publish_what_runs()
    machine.wait_for_health(sorted(RUNNING))
    before = {name: machine.inspect(name) for name in RUNNING}
    new = machine.publish("redis", "redis-newer")

    first = machine.host("admin", "update", "now", "--now")

    assert (first.code, json.loads(first.out)["services"]) == (0, {"redis": "updated"}), first.err
    updated = {name: machine.inspect(name) for name in RUNNING}
    assert updated["redis"]["Image"] == new
    assert {name for name in RUNNING if updated[name]["Id"] != before[name]["Id"]} == {"redis"}
    assert (
        machine.engine.client("image", "inspect", "--format={{.Id}}", "mxgw-before:redis").strip()
        == (before["redis"]["Image"])
    )
    assert machine.hand_in(mail("After it.\r\n", subject="Updated"), USER)[0] == 250

    broken = machine.publish("redis", "redis-broken")
    second = machine.host("admin", "update", "now", "--now")
    state = json.loads((machine.place.path / "state" / "update.json").read_text())
    third = machine.host("admin", "update", "now", "--now")

    assert (second.code, json.loads(second.out)["services"]) == (1, {"redis": "rolled-back"}), second.err
    assert (state["ok"], state["refused"]) == (False, {"redis": broken})
    assert (third.code, json.loads(third.out)["services"]) == (1, {"redis": "held"}), third.err
    assert machine.inspect("redis")["Image"] == new
    assert {name: machine.inspect(name)["Id"] for name in RUNNING - {"redis"}} == {
        name: before[name]["Id"] for name in RUNNING - {"redis"}
    }
    machine.wait_for_health(sorted(RUNNING))
    assert machine.hand_in(mail("After both.\r\n", subject="Back"), USER)[0] == 250
    arrived = machine.messages(USER, PASSWORD)
    assert all(any(subject in one for one in arrived) for subject in (b"Updated", b"Back"))


def test_a_killed_container_comes_back(machine: Machine) -> None:
    before = machine.state("dovecot")
    # Not "docker kill", after which Docker leaves it alone: its process ends by itself, as by a crash.
    machine.kill("dovecot", signal.SIGKILL)

    wait_until(
        lambda: machine.state("dovecot")["Running"] and machine.state("dovecot")["Pid"] != before["Pid"],
        seconds=60,
        what="Docker starts Dovecot again",
    )
    wait_until(lambda: machine.logs_in(USER, PASSWORD), seconds=60, what="Dovecot answers again")


def test_mail_outlives_its_containers(machine: Machine) -> None:
    kept = machine.messages(USER, PASSWORD)

    machine.compose("down", seconds=300)
    assert not machine.engine.client("ps", "--all", "--quiet").split()
    machine.up("dovecot")
    wait_until(lambda: machine.logs_in(USER, PASSWORD), seconds=120, what="Dovecot answers again")

    assert kept
    assert machine.messages(USER, PASSWORD) == kept
