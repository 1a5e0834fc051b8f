"""What each Compose answers when it is asked for its containers.

The lines are as Compose 2.26 and 2.17 print them (docker/compose, "ps" in its reference and its issues 10958
and 11784), shortened; what 1.29 and ``docker inspect`` say is as Debian's programs have it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused
from mxgw.admin.stack import ServiceState, Stack
from mxgw.admin.words import Language, Words
from tests.admin.admin_house import admin

# Says what a file has for these arguments: exit code, stdout, stderr. Of several answers, one a call.
DOCKER = """#!{python} -IS
import json, os, sys
path = {path!r}
told = json.load(open(path))
words = sys.argv[1:]
told["calls"].append([os.getcwd(), *words])
if words[0] == "compose":
    words = words[3:]
answers = told["answers"].get(" ".join(words), [[64, "", "not foreseen"]])
code, out, errors = answers.pop(0) if len(answers) > 1 else answers[0]
json.dump(told, open(path, "w"))
sys.stdout.write(out)
sys.stderr.write(errors)
sys.exit(code)
"""
LIST = "ps --all --format json"
QUIET = "ps --all --quiet"

V2 = {
    "Command": '"docker-entrypoint.s\u2026"',
    "CreatedAt": "2026-11-02 12:21:53 +0900 JST",
    "ExitCode": 0,
    "Health": "healthy",
    "ID": "d2763e024a10",
    # The name leads to a newer image since the last pull.
    "Image": "sha256:dc1103822fa3",
    "Labels": "com.docker.compose.container-number=1,com.docker.compose.service=redis,"
    "com.docker.compose.oneoff=False,com.docker.compose.project=dell-stack",
    "Name": "dell-stack-redis-1",
    "Names": "dell-stack-redis-1",
    "Project": "dell-stack",
    "Service": "redis",
    "State": "running",
    "Status": "Up 3 hours (healthy)",
}
V2_TRIAL = {
    **V2,
    "ID": "0a1b2c3d4e5f",
    "Name": "dell-stack-redis-run-5f2b7c0d1e9a",
    "Health": "",
    "Labels": "com.docker.compose.oneoff=True,com.docker.compose.service=redis",
}
V2_OLD = {
    "ID": "d2763e024a10f93a2c9f5b3b4c1b0c7d8e9f00112233445566778899aabbccdd",
    "Name": "dell-stack-redis-1",
    "Command": "docker-entrypoint.sh redis-server",
    "Project": "dell-stack",
    "Service": "redis",
    "State": "exited",
    "Health": "",
    "ExitCode": 137,
    "Publishers": None,
}
V2_OLD_TRIAL = {**V2_OLD, "Name": "dell-stack-redis-run-5f2b7c0d1e9a", "State": "running", "ExitCode": 0}
INSPECTED = {
    "Id": "d2763e024a10",
    "Name": "/dell-stack_redis_1",
    "Image": "sha256:dc1103822fa3",
    "RestartCount": 0,
    "State": {"Status": "running", "ExitCode": 0, "Health": {"Status": "starting", "FailingStreak": 0}},
    "Config": {
        "Image": "redis:7.2.11-alpine",
        "Labels": {"com.docker.compose.service": "redis", "com.docker.compose.oneoff": "False"},
    },
}
USAGE_OF_V1 = "List containers.\n\nUsage: ps [options] [--] [SERVICE...]\n"


def inspected(**changes: Any) -> dict[str, Any]:
    return {**INSPECTED, **changes}


class Docker:
    """That docker, and the stack through it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "told.json"
        self.program = directory / "docker"
        self.program.write_text(DOCKER.format(python=sys.executable, path=str(self._path)))
        self.program.chmod(0o755)
        self.directory = directory / "dell-stack"
        self.directory.mkdir()
        self.stack = Stack(self.directory, docker=[str(self.program)])
        self.says({})

    def says(self, answers: dict[str, Any]) -> None:
        """By the words behind "compose --project-directory DIRECTORY", or by all of them."""
        given = {words: one if isinstance(one, list) else [one] for words, one in answers.items()}
        self._path.write_text(json.dumps({"answers": given, "calls": []}))

    @property
    def calls(self) -> list[list[str]]:
        calls: list[list[str]] = json.loads(self._path.read_text())["calls"]
        return calls


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def lines(*objects: dict[str, Any]) -> tuple[int, str, str]:
    return 0, "".join(json.dumps(one) + "\n" for one in objects), ""


def test_compose_2_21_and_later_print_a_line_for_each_container(docker: Docker) -> None:
    docker.says({LIST: lines(V2, {**V2, "Service": "accounts", "State": "exited", "Health": ""})})

    assert docker.stack.states() == {
        "redis": ServiceState("redis", "running", "healthy", 0, "d2763e024a10"),
        "accounts": ServiceState("accounts", "exited", "", 0, "d2763e024a10"),
    }


def test_compose_2_before_21_prints_one_list(docker: Docker) -> None:
    docker.says({LIST: (0, json.dumps([V2_OLD]), "")})

    assert docker.stack.states() == {"redis": ServiceState("redis", "exited", "", 137, str(V2_OLD["ID"]))}


@pytest.mark.parametrize("nothing", ["", "\n", "[]", "[]\n", "null\n"])
def test_no_containers_are_no_services(docker: Docker, nothing: str) -> None:
    docker.says({LIST: (0, nothing, "")})

    assert docker.stack.states() == {}


@pytest.mark.parametrize("trial_first", [False, True])
def test_what_compose_run_made_is_not_the_service(docker: Docker, trial_first: bool) -> None:
    both = [V2_TRIAL, V2] if trial_first else [V2, V2_TRIAL]
    docker.says({LIST: lines(*both)})

    assert docker.stack.states()["redis"].container == "d2763e024a10"


@pytest.mark.parametrize("trial_first", [False, True])
def test_nor_is_it_without_labels_to_tell(docker: Docker, trial_first: bool) -> None:
    both = [V2_OLD_TRIAL, V2_OLD] if trial_first else [V2_OLD, V2_OLD_TRIAL]
    docker.says({LIST: (0, json.dumps(both), "")})

    assert docker.stack.states()["redis"].state == "exited"


def test_compose_1_is_asked_for_numbers_and_docker_for_the_rest(docker: Docker) -> None:
    one_off = {"com.docker.compose.service": "redis", "com.docker.compose.oneoff": "True"}
    trial = inspected(Id="f00", Config={"Image": "redis:7.2.11-alpine", "Labels": one_off})
    ended = inspected(
        Id="ace",
        State={"Status": "exited", "ExitCode": 3},
        Config={"Image": "mariadb:10.11.15", "Labels": {"com.docker.compose.service": "accounts"}},
    )
    docker.says(
        {
            LIST: (0, "", USAGE_OF_V1),
            QUIET: (0, "d2763e024a10\nf00\nace\n", ""),
            "inspect d2763e024a10 f00 ace": (0, json.dumps([INSPECTED, trial, ended]), ""),
        }
    )

    assert docker.stack.states() == {
        "redis": ServiceState("redis", "running", "starting", 0, "d2763e024a10"),
        "accounts": ServiceState("accounts", "exited", "", 3, "ace"),
    }


def test_a_warning_beside_no_containers_is_none_of_them(docker: Docker) -> None:
    warning = 'time="2026-11-24" level=warning msg="the attribute `version` is obsolete"\n'
    docker.says({LIST: (0, "", warning), QUIET: (0, "", warning)})

    assert docker.stack.states() == {}


def test_a_container_that_goes_meanwhile_hides_no_other(docker: Docker) -> None:
    gone = (1, "", "Error response from daemon: No such container: f00")
    docker.says({LIST: [gone, lines(V2)]})

    assert set(docker.stack.states()) == {"redis"}

    docker.says(
        {
            LIST: (0, "", USAGE_OF_V1),
            QUIET: (0, "d2763e024a10\nf00\n", ""),
            "inspect d2763e024a10 f00": (1, json.dumps([INSPECTED]), "Error: No such object: f00"),
        }
    )

    assert set(docker.stack.states()) == {"redis"}


def test_a_docker_that_cannot_list_is_quoted(docker: Docker) -> None:
    broken = (1, "", "Error response from daemon: layer does not exist")
    docker.says({LIST: broken, QUIET: broken})

    with pytest.raises(Refused) as refused:
        docker.stack.states()

    assert refused.value.key == "docker-refuses"
    assert "layer does not exist" in str(refused.value.facts["why"])


@pytest.mark.parametrize(
    ("errors", "key"),
    [
        # Docker 26, Docker 29, Compose 1.
        ("Cannot connect to the Docker daemon at unix:///run/docker.sock. Is it running?", "docker-down"),
        ("failed to connect to the docker API at unix:///run/docker.sock; check if", "docker-down"),
        ("Couldn't connect to Docker daemon at http+docker://localhost - is it running?", "docker-down"),
        ("permission denied while trying to connect to the Docker daemon socket at unix:", "docker-denied"),
        ("permission denied while trying to connect to the docker API at unix://", "docker-denied"),
        ("no configuration file provided: not found", "stack-missing"),
        ("ERROR:\n  Can't find a suitable configuration file in this directory", "stack-missing"),
        ("open /opt/mxgw/dell-stack/.env: permission denied", "env-file-forbidden"),
        ("stat /opt/mxgw/dell-stack/.env: permission denied", "env-file-forbidden"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_what_keeps_everybody_from_docker_is_a_sentence_that_says_what_to_do(
    docker: Docker, errors: str, key: str, lang: str
) -> None:
    away = (1, "", f"{errors}\n")
    docker.says({LIST: away, QUIET: away, "exec -T postfix postqueue -j": away})
    facts = {"stack-missing": str(docker.directory), "env-file-forbidden": f"{docker.directory}/.env"}
    sentence = Words(Language(lang))(key, path=shown(facts.get(key, "")))

    with pytest.raises(Refused) as refused:
        docker.stack.states()
    told = admin(
        *("queue", "list", "--stack", str(docker.directory)),
        settings={"MXGW_DOCKER": str(docker.program)},
        lang=lang,
    )

    assert refused.value.key == key
    assert (told.code, told.err) == (1, f"mxgw: {sentence}\n")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_postfix_that_stands_still_is_named(docker: Docker, lang: str) -> None:
    docker.says({"exec -T postfix postqueue -f": (1, "", 'service "postfix" is not running\n')})

    told = admin(
        *("queue", "flush", "--stack", str(docker.directory)),
        settings={"MXGW_DOCKER": str(docker.program)},
        lang=lang,
    )

    assert (told.code, told.err) == (1, f"mxgw: {Words(Language(lang))('postfix-stopped')}\n")


def test_compose_is_called_from_the_directory_where_compose_1_looks_for_its_file(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says({LIST: lines()})
    monkeypatch.chdir(docker.directory.parent)

    Stack(Path("dell-stack"), docker=[str(docker.program)]).states()

    directory = str(docker.directory)
    assert docker.calls == [[directory, "compose", "--project-directory", directory, *LIST.split()]]


def test_the_queue_is_asked_by_the_docker_that_the_environment_names(docker: Docker) -> None:
    docker.says({"exec -T postfix postqueue -j": (0, "", "")})

    told = admin(
        *("queue", "list", "--stack", str(docker.directory)), settings={"MXGW_DOCKER": str(docker.program)}
    )

    assert (told.code, told.out.strip()) == (0, "[]"), told.err
