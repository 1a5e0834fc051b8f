"""ecs/deploy.toml: every mistake at once; the templates read as YAML has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mxgw.deploy.settings import COMPUTED, OWN_KEYS, Settings, Templates, read_settings
from mxgw.deploy.templates import MAX_TEMPLATE_OCTETS, Template, read_template, sendable, setting_of
from tests.deploy.deploy_rig import SETTINGS, Desk
from tests.rig.process import ROOT

BASE, SERVICE = (read_template(ROOT / "ecs" / name) for name in ("base.yaml", "service.yaml"))
TEMPLATES = Templates(BASE, SERVICE)
EXAMPLE = ROOT / "ecs" / "deploy.example.toml"


class _Loader(yaml.SafeLoader):
    """Knows of CloudFormation's tags only that they are there."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)


def written(directory: Path, **changes: object) -> Path:
    settings = {key: value for key, value in SETTINGS.items() if key != "tailscale_secret_file"}
    table = {key: value for key, value in {**settings, **changes}.items() if value is not None}
    path = directory / "deploy.toml"
    path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items()))
    return path


def mistakes(directory: Path, **changes: object) -> list[str]:
    found = read_settings(written(directory, **changes), TEMPLATES)
    return [] if isinstance(found, Settings) else [one.key for one in found]


@pytest.mark.parametrize(("template", "name"), [(BASE, "base.yaml"), (SERVICE, "service.yaml")])
def test_the_templates_are_read_as_yaml_has_them(template: Template, name: str) -> None:
    whole = yaml.load((ROOT / "ecs" / name).read_text("utf-8"), _Loader)  # noqa: S506

    assert {
        one.name: (one.default, one.pattern, one.allowed, one.number, one.least, one.most)
        for one in template.parameters.values()
    } == {
        parameter: (
            str(keys["Default"]) if "Default" in keys else None,
            keys.get("AllowedPattern", ""),
            tuple(map(str, keys.get("AllowedValues", []))),
            keys["Type"] == "Number",
            keys.get("MinValue"),
            keys.get("MaxValue"),
        )
        for parameter, keys in whole["Parameters"].items()
    }
    assert {one.name: (one.kind, one.retained) for one in template.resources.values()} == {
        resource: (keys["Type"], keys.get("DeletionPolicy") == "Retain")
        for resource, keys in whole["Resources"].items()
    }


@pytest.mark.parametrize("template", [BASE, SERVICE])
def test_a_template_that_is_too_large_is_sent_without_its_comments(template: Template) -> None:
    larger = template.text + "# more\n" * 8000

    sent = sendable(larger)

    assert sendable("# a\n") == "# a\n"
    assert len(sent.encode()) <= MAX_TEMPLATE_OCTETS
    assert yaml.load(sent, _Loader) == yaml.load(template.text, _Loader)  # noqa: S506


def test_the_example_is_good_and_explains_every_key() -> None:
    found = read_settings(EXAMPLE, TEMPLATES)

    assert isinstance(found, Settings), found
    text = EXAMPLE.read_text("utf-8")
    parameters = {*BASE.parameters, *SERVICE.parameters} - COMPUTED
    for key in [*OWN_KEYS, *map(setting_of, parameters)]:
        assert f"\n{key} = " in text or f"\n#{key} = " in text, key


def test_every_line_of_the_example_can_be_switched_on(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    on = [line[1:] if line.startswith("#") and " = " in line and line[1] != " " else line for line in lines]
    path = tmp_path / "deploy.toml"
    path.write_text("\n".join(on), "utf-8")
    for name in ("tailscale.txt", "fullchain.pem", "privkey.pem", "chat.txt"):
        (tmp_path / name).write_text("x")

    found = read_settings(path, TEMPLATES)

    assert isinstance(found, Settings), found


def test_the_settings_become_parameters(tmp_path: Path) -> None:
    found = read_settings(written(tmp_path, min_tasks=2, subnet_a_cidr="10.1.0.0/26"), TEMPLATES)

    assert isinstance(found, Settings)
    assert found.base == {"Domains": "example.jp", "AlertEmail": "admin@example.net"}
    assert found.service == {
        "BaseStackName": "mxgw-base",
        "MxHostname": "mx.example.jp",
        "HomeAddress": "lmtp://100.64.0.10:2525",
        "TlsCertificate": "self-signed",
        "MinTasks": "2",
        "SubnetACidr": "10.1.0.0/26",
    }


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"region": None}, "settings-needed"),
        ({"region": "Tokyo"}, "settings-bad-value"),
        ({"region": 5}, "settings-not-text"),
        ({"domains": None}, "settings-bad-domains"),
        ({"domains": "example.jp"}, "settings-bad-domains"),
        ({"domains": ["example.jp", "a b"]}, "settings-bad-value"),
        ({"mx_hostname": None}, "settings-needed"),
        ({"mx_hostname": "MX"}, "settings-bad-value"),
        ({"mx_hostname": ["mx.example.jp"]}, "settings-not-text"),
        ({"home_address": "100.64.0.10"}, "settings-bad-value"),
        ({"alert_email": "admin@example.jp"}, "settings-own-alert"),
        ({"alert_email": "admin"}, "settings-bad-value"),
        ({"chat_service": "teams"}, "settings-choice"),
        ({"no_mail_hours": 200}, "settings-bounds"),
        ({"no_mail_hours": "often"}, "settings-bounds"),
        ({"min_tasks": True}, "settings-not-text"),
        ({"min_tasks": 3, "max_tasks": 2}, "settings-tasks"),
        ({"base_stack": "mxgw", "service_stack": "mxgw"}, "settings-same-stack"),
        ({"base_stack": "1st"}, "settings-bad-value"),
        ({"mx_hostnam": "mx"}, "settings-near-key"),
        ({"tailscale_secret": "tskey-client-x"}, "settings-near-key"),
        ({"cloudflare_token": "x"}, "settings-secret-key"),
        ({"colour": "x"}, "settings-unknown-key"),
        ({"tailscale_secret_file": "nowhere.txt"}, "settings-no-file"),
        ({"certificate_file": "deploy.toml"}, "settings-half-certificate"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, changes: dict[str, object], key: str) -> None:
    assert mistakes(tmp_path, **changes) == [key]


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    broken, large = tmp_path / "broken.toml", tmp_path / "large.toml"
    broken.write_text("region = ap-northeast-1")
    large.write_bytes(b"#" * 70000)

    for path, key in ((broken, "syntax"), (large, "large"), (tmp_path / "no.toml", "missing")):
        found = read_settings(path, TEMPLATES)
        assert not isinstance(found, Settings)
        assert [one.key for one in found] == [f"settings-{key}"]


def test_all_mistakes_are_told_together_and_nothing_is_asked_of_aws(desk: Desk) -> None:
    desk.settings(region="Tokyo", min_tasks=9, tailscale_secrets="tskey-client-hush")

    ended = desk.deploy("up", "--yes", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert ended.code == 2
    assert "has 3 mistakes" in ended.err
    for word in ("region", "min_tasks", "tailscale_secrets"):
        assert f"  {word}: " in ended.err
    assert "hush" not in ended.err
