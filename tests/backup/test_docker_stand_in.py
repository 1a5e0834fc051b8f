"""The docker that the tests' stack is reached by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mxgw.admin.stack import Stack
from tests.backup.backup_house import BackupHouse
from tests.rig.docker_stand_in import DockerStandIn


@pytest.fixture
def stack(backup_house: BackupHouse, tmp_path: Path) -> Iterator[Stack]:
    with DockerStandIn(backup_house.host, tmp_path / "bin") as docker:
        yield Stack(tmp_path, docker=[str(docker.program)])


def test_a_program_runs_in_the_cell_with_its_input_its_output_and_its_exit_code(stack: Stack) -> None:
    said = stack.run("mariadb", ["sh", "-c", "id -u; cat; exit 3"], stdin=b"words")

    assert (said.code, said.output) == (3, b"999\nwords")


def test_another_user_is_the_one_that_was_named(stack: Stack) -> None:
    said = stack.run("dovecot", ["id", "-u"], user="1000")

    assert said.output == b"1000\n"


def test_a_program_of_a_single_run_sees_what_is_mounted_for_it(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    mount = f"{tmp_path / 'given'}:/given:z"

    said = stack.compose("run", "--rm", "--no-deps", "-T", "-v", mount, "--entrypoint", "sh", "trial",
                         "-c", "ls -d /given; touch /given/made")  # fmt: skip

    assert (said.code, said.output) == (0, b"/given\n"), said.errors
    assert (tmp_path / "given" / "made").exists()


def test_a_second_one_of_a_service_with_a_fixed_address_finds_it_taken(stack: Stack) -> None:
    said = stack.compose("run", "--rm", "--no-deps", "-T", "--entrypoint", "true", "dovecot")

    assert (said.code, "Address already in use" in said.errors) == (1, True)


def test_a_service_is_stopped_and_started(stack: Stack) -> None:
    before = stack.states()["dovecot"]

    stopped = stack.compose("stop", "dovecot")
    meanwhile = stack.states()["dovecot"]
    refused = stack.run("dovecot", ["true"])
    started = stack.compose("start", "dovecot")

    assert (before.state, before.health) == ("running", "healthy")
    assert (stopped.code, meanwhile.state, refused.code, started.code) == (0, "exited", 1, 0)
    assert stack.states()["dovecot"].health == "healthy"
