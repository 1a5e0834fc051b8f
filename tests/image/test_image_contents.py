"""What is in the image, and what is not: nothing to build with, nothing to become somebody else with."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from tests.image.conftest import REVISION, TAG, VERSION, Task
from tests.image.engine import BASE, Engine
from tests.rig.process import ROOT

Files = dict[str, tarfile.TarInfo]
Record = Callable[[str, object], None]

MB = 1_000_000
MAX_ABOVE_BASE = 120 * MB
PROGRAM = "/opt/mxgw"
SPOOL = "/var/spool/mxgw"
USER = 10001

COMPILERS = re.compile(r"(.*-)?(as|c\+\+|cc|clang|cpp|g\+\+|gcc|go|ld|make|rustc|tcc)(-[\d.]+)?")
INSTALLERS = re.compile(
    r"(easy_install|ensurepip|pip|pkg_resources|setuptools|uv|virtualenv|wheel)([-.\d].*)?"
)


@pytest.fixture(scope="module")
def files(engine: Engine) -> Files:
    return engine.files(TAG)


def regular(files: Files) -> Files:
    return {path: one for path, one in files.items() if one.isreg()}


def test_no_file_runs_as_another_user_than_the_one_who_calls_it(files: Files) -> None:
    assert [path for path, one in regular(files).items() if one.mode & 0o6000] == []


def test_no_compiler_is_in_it(files: Files) -> None:
    commands = [path for path, one in files.items() if not one.isdir() and "bin" in PurePosixPath(path).parts]

    assert "/usr/bin/dpkg" in commands
    assert [path for path in commands if COMPILERS.fullmatch(PurePosixPath(path).name)] == []
    assert [path for path in files if path.endswith("Python.h")] == []


def test_no_installer_of_python_packages_is_in_it(files: Files) -> None:
    places = [
        path
        for path in files
        if PurePosixPath(path).parent.name in {"bin", "site-packages", "dist-packages", "python3.11"}
    ]

    assert any(path.endswith("/asyncio") for path in places)
    assert [path for path in places if INSTALLERS.fullmatch(PurePosixPath(path).name)] == []
    assert [path for path in files if path.endswith(".whl")] == []


def test_the_user_owns_the_spool_and_nothing_else(files: Files) -> None:
    spool = files[SPOOL]

    assert (spool.uid, spool.gid, spool.mode & 0o7777) == (USER, USER, 0o700)
    assert [path for path, one in files.items() if USER in (one.uid, one.gid)] == [SPOOL]
    # What is in /dev is made for each container, and what is on it goes with it.
    anybodys = {path for path, one in files.items() if one.mode & 0o002 and not one.issym()}
    assert {path for path in anybodys if not path.startswith("/dev/")} <= {"/tmp", "/var/tmp", "/run/lock"}  # noqa: S108 - on a read-only root


def test_what_reads_parameters_and_secrets_of_aws_is_in_it_and_no_other_service(files: Files) -> None:
    data = f"{PROGRAM}/lib/python3.11/site-packages/botocore/data"
    folders = [PurePosixPath(path) for path, one in files.items() if one.isdir()]

    assert {one.name for one in folders if str(one.parent) == data} == {"ssm", "secretsmanager", "sts"}
    assert f"{PROGRAM}/lib/python3.11/site-packages/boto3/__init__.py" in files


def test_everything_is_compiled_since_a_read_only_root_keeps_no_byte_code(files: Files) -> None:
    sources = [PurePosixPath(path) for path in files if path.endswith(".py")]
    libraries = ("/opt/mxgw/", "/usr/lib/python3.11/")
    wanted = {
        f"{source.parent}/__pycache__/{source.stem}.cpython-311.pyc": source
        for source in sources
        if str(source).startswith(libraries) and "__pycache__" not in source.parts
    }

    assert f"{PROGRAM}/lib/python3.11/site-packages/mxgw/__pycache__/gateway.cpython-311.pyc" in wanted
    assert [str(source) for compiled, source in wanted.items() if compiled not in files] == []


def test_what_only_the_build_needs_stays_out(files: Files) -> None:
    """The secret of the build, the sources of the build, the tests."""
    assert [path for path in files if path.startswith(("/build", "/run/secrets"))] == []
    assert [path for path in files if "/mxgw/tests" in path or path.endswith("/requirements.lock")] == []
    commands = {PurePosixPath(path).name for path in files if path.startswith(f"{PROGRAM}/bin/")}
    assert commands == {"mxgw", "python", "python3", "python3.11"}


def test_the_bill_of_materials_names_what_the_lock_names(engine: Engine) -> None:
    lock = (ROOT / "requirements-runtime.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", lock, re.MULTILINE))
    assert {"cryptography", "dkimpy", "uvloop"} <= locked.keys()

    document = engine.run_in(TAG, "cat", f"{PROGRAM}/bom.cdx.json")

    bill = json.loads(document)
    packages = {one["purl"].partition("?")[0] for one in bill["components"] if "purl" in one}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert {f"pkg:pypi/{name}@{version}" for name, version in locked.items()} <= packages
    assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in packages)
    assert any(purl.startswith("pkg:generic/python@3.11.") for purl in packages)
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references))


def test_the_lock_of_the_image_has_a_hash_for_every_package_and_the_developers_versions() -> None:
    def pinned(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))

    for name in ("requirements-runtime.lock", "docker/requirements-build.lock"):
        entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
        assert "://" not in (ROOT / name).read_text()
    developers = pinned("requirements.lock")
    runtime = pinned("requirements-runtime.lock")
    assert {name: developers.get(name) for name in runtime} == runtime
    assert {"pytest", "moto", "hypothesis"}.isdisjoint(runtime)


def test_the_image_is_small(engine: Engine, record_property: Record) -> None:
    base = engine.configuration(BASE)["Size"]
    whole = engine.configuration(TAG)["Size"]
    layers = [line for line in engine.client("history", "--format={{.Size}}", TAG).split() if line != "0B"]

    print(f"\nimage {whole / MB:.0f} MB, base {base / MB:.0f} MB; layers {', '.join(layers)}")
    record_property("image_mb", round(whole / MB))
    assert whole - base < MAX_ABOVE_BASE


def test_the_image_fits_the_task_of_the_service_template(engine: Engine, task: Task) -> None:
    said = engine.configuration(TAG)["Config"]
    container = task.container

    assert said["User"] == container["User"] == f"{USER}:{USER}"
    assert {f"{one['ContainerPort']}/tcp" for one in container["PortMappings"]} <= said["ExposedPorts"].keys()
    assert [one["ContainerPath"] for one in container["MountPoints"]] == [SPOOL] == list(said["Volumes"])
    assert container["Command"] == said["Cmd"] == ["serve", "edge"]
    check, own = container["HealthCheck"], said["Healthcheck"]
    times = [own[name] / 1e9 for name in ("Interval", "Timeout", "StartPeriod")] + [own["Retries"]]
    assert times == [check[name] for name in ("Interval", "Timeout", "StartPeriod", "Retries")]


def test_it_says_what_it_is_and_how_it_is_to_be_stopped(engine: Engine) -> None:
    said = engine.configuration(TAG)["Config"]

    assert said["StopSignal"] == "SIGTERM"
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in said["Labels"].items()}
    assert (labels["title"], labels["version"], labels["revision"]) == ("mxgw", VERSION, REVISION)
    assert [one for one in said["Env"] if re.search("KEY|SECRET|TOKEN|PASSWORD", one)] == []
