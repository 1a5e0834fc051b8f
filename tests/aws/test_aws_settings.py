"""Settings that are kept at AWS: read once at the start, every mistake named, no value shown."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mxgw.config import Config, ConfigMistake, Parameter, Pem, Reference, Secret, load, show
from tests.aws.certificates import make_pair
from tests.aws.cloud import REGION, Cloud, RefusingCloud, environment
from tests.cli.support import mxgw
from tests.rig.homeserver import HomeServer

PAIR = make_pair("mx.example.jp")
ARN = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:mxgw-tls-AbCdEf"
EDGE = {
    "MXGW_DOMAINS": "example.jp",
    "MXGW_HOME": "lmtp://127.0.0.1:1",
    "MXGW_HOSTNAME": "mx.example.jp",
    "MXGW_LISTEN": "127.0.0.1:0",
    "MXGW_HTTP_LISTEN": "127.0.0.1:0",
}


def loaded(
    settings: Mapping[str, str], kept: Mapping[Reference, str], *, toml: Path | None = None
) -> Config | list[ConfigMistake]:
    def fetch(reference: Reference) -> str:
        if reference not in kept:
            raise ValueError("AWS denies access in mars-1")
        return kept[reference]

    return load({**EDGE, **settings}, toml=toml, fetch=fetch)


def good(settings: Mapping[str, str], kept: Mapping[Reference, str]) -> Config:
    outcome = loaded(settings, kept)
    assert isinstance(outcome, Config), outcome
    return outcome


def mistakes(settings: Mapping[str, str], kept: Mapping[Reference, str]) -> list[str]:
    outcome = loaded(settings, kept)
    assert isinstance(outcome, list)
    return [str(mistake) for mistake in outcome]


# What is good.


@pytest.mark.parametrize(
    "text", ["example.jp,Example.COM", "example.jp\nexample.com\n", "# ours\nexample.jp,example.com # b"]
)
def test_domains_stand_in_a_parameter_as_in_a_list_or_a_file(text: str) -> None:
    config = good({"MXGW_DOMAINS": "ssm:/mxgw/domains"}, {Parameter("/mxgw/domains"): text})

    assert config.domains.names == ("example.jp", "example.com")
    assert str(config.domains) == "ssm:/mxgw/domains"


def test_keys_and_certificates_stand_in_secrets_and_are_never_shown() -> None:
    config = good(
        {
            "MXGW_SEAL_KEY": "secret:mxgw/seal",
            "MXGW_TLS_CERT": f"secret:{ARN}#certificate",
            "MXGW_TLS_KEY": f"secret:{ARN}#key",
        },
        {
            Secret("mxgw/seal"): "hush hush hush hush\n",
            Secret(ARN, "certificate"): PAIR.certificate,
            Secret(ARN, "key"): PAIR.key,
        },
    )

    assert config.seal_key == b"hush hush hush hush"
    assert show(config.seal_key) == "(hidden) from secret:mxgw/seal"
    assert show(config.tls_key) == f"secret:{ARN}#key"
    assert "hush" not in repr(config)
    assert "BEGIN" not in repr(config)


def test_pem_text_may_stand_in_the_setting_itself() -> None:
    config = good({"MXGW_TLS_CERT": PAIR.certificate, "MXGW_TLS_KEY": PAIR.key}, {})

    assert config.tls_key == Pem(PAIR.key.strip())
    assert show(config.tls_key) == "(PEM text)"
    assert "BEGIN" not in repr(config)


# What is wrong.


@pytest.mark.parametrize(
    ("variable", "text", "kept", "problem"),
    [
        ("MXGW_DOMAINS", "ssm:/d", "", "there is no domain in it"),
        ("MXGW_DOMAINS", "ssm:/d", "a.example,,b@example", "domain 2: it is not a domain name"),
        ("MXGW_SEAL_KEY", "secret:s", "hush", "it is too short"),
        ("MXGW_SEAL_KEY", "secret:s", " hush            \n", "it is too short"),
        ("MXGW_TLS_CERT", "secret:s", "hush", "what is kept there is no PEM text"),
        ("MXGW_TLS_KEY", "secret:s", "-----BEGIN hush", "PEM text without an end"),
    ],
)
def test_a_wrong_value_at_aws_is_a_mistake_that_does_not_show_it(
    variable: str, text: str, kept: str, problem: str
) -> None:
    [mistake] = mistakes({variable: text}, {Parameter("/d"): kept, Secret("s"): kept})

    assert mistake.startswith(f"{variable}=")
    assert problem in mistake
    assert "hush" not in mistake


def test_what_cannot_be_read_is_a_mistake_among_the_others() -> None:
    found = mistakes(
        {"MXGW_DOMAINS": "ssm:/d", "MXGW_SEAL_KEY": "secret:s", "MXGW_WORKERS": "many"},
        {},
    )

    assert [mistake.partition("=")[0] for mistake in found] == [
        "MXGW_DOMAINS",
        "MXGW_SEAL_KEY",
        "MXGW_WORKERS",
    ]
    assert found[0].startswith('MXGW_DOMAINS="ssm:/d": AWS denies access in mars-1; expected: ')
    assert found[1].startswith("MXGW_SEAL_KEY=(hidden): AWS denies access in mars-1; expected: ")


def test_a_certificate_without_its_key_is_a_mistake_at_aws_too() -> None:
    [mistake] = mistakes({"MXGW_TLS_CERT": "secret:s"}, {Secret("s"): PAIR.certificate})

    assert "MXGW_TLS_KEY is missing" in mistake


def test_a_key_given_as_text_is_never_repeated() -> None:
    cut = PAIR.key[:80]

    [mistake] = mistakes({"MXGW_TLS_KEY": cut}, {})

    assert "MXGW_TLS_KEY=(hidden): it is PEM text without an end" in mistake


def test_other_settings_are_not_kept_at_aws() -> None:
    [mistake] = mistakes({"MXGW_HOME": "ssm:/mxgw/home"}, {Parameter("/mxgw/home"): "lmtp://a"})

    assert "it does not begin with lmtp://" in mistake


# The program as a user meets it.


async def test_check_shows_where_values_are_kept_and_what_was_found_there(cloud: Cloud) -> None:
    cloud.put_parameter("/mxgw/domains", "example.jp,example.com")
    arn = cloud.put_secret("mxgw/tls", PAIR.plain())
    cloud.put_secret("mxgw/seal", "hush hush hush hush")
    kept = {
        "MXGW_DOMAINS": "ssm:/mxgw/domains",
        "MXGW_TLS_CERT": f"secret:{arn}#certificate",
        "MXGW_TLS_KEY": f"secret:{arn}#key",
        "MXGW_SEAL_KEY": "secret:mxgw/seal",
    }
    async with HomeServer() as home:
        ended = await asyncio.to_thread(
            mxgw,
            "check",
            "--json",
            settings={
                **EDGE,
                **cloud.environment(),
                **kept,
                "MXGW_HOME": f"lmtp://127.0.0.1:{home.port}",
            },
        )

    told = json.loads(ended.out)
    tries = {entry["name"]: (entry["level"], entry["detail"]) for entry in told["tries"]}
    assert tries["domains"] == ("ok", "ssm:/mxgw/domains lists 2 domains: example.jp, example.com")
    assert tries["certificate kept"] == ("ok", f"secret:{arn}#certificate was read")
    assert tries["certificate"][0] == "ok"
    assert f"secret:{arn}#certificate is valid until" in tries["certificate"][1]
    assert tries["seal key kept"] == ("ok", "secret:mxgw/seal was read")
    assert told["settings"]["MXGW_SEAL_KEY"]["value"] == "(hidden) from secret:mxgw/seal"
    assert "hush" not in ended.out + ended.err
    assert "BEGIN" not in ended.out + ended.err
    assert ended.code == 0


def test_serve_ends_with_2_and_says_what_to_do_where_aws_denies() -> None:
    with RefusingCloud("AccessDeniedException") as cloud:
        settings = {**EDGE, **environment(cloud.endpoint), "MXGW_DOMAINS": "ssm:/mxgw/domains"}
        ended = mxgw("serve", "edge", settings=settings)

    assert ended.code == 2
    assert (
        f'MXGW_DOMAINS="ssm:/mxgw/domains": AWS denies access in {REGION}; '
        "allow ssm:GetParameter on it in the task role"
    ) in ended.err
    assert "Traceback" not in ended.err


def test_a_pair_that_does_not_fit_ends_the_start_with_a_sentence(cloud: Cloud) -> None:
    other = make_pair("other.example")
    cloud.put_secret("mxgw/mixed", {"certificate": PAIR.certificate, "key": other.key})
    locked = make_pair("mx.example.jp", password="hush")
    cloud.put_secret("mxgw/locked", locked.plain())

    for name, why in (("mxgw/mixed", "KEY_VALUES_MISMATCH"), ("mxgw/locked", "the key has a password")):
        ended = mxgw(
            "serve",
            "edge",
            settings={
                **EDGE,
                **cloud.environment(),
                "MXGW_TLS_CERT": f"secret:{name}#certificate",
                "MXGW_TLS_KEY": f"secret:{name}#key",
            },
        )

        assert ended.code == 2
        assert f"certificate and key cannot be used: {why}" in ended.err
        assert "Traceback" not in ended.err


def test_nothing_of_boto3_is_loaded_where_nothing_is_kept_at_aws() -> None:
    program = """
import sys
from pathlib import Path
from mxgw.cli.terminal import load_or_fail
from mxgw.config import Role
from mxgw.observe import EventLog
from mxgw.service.edge import build_edge

config = load_or_fail(Role.EDGE, toml=None, options={})
build_edge(config, EventLog.on_stdout("json", {}), index=0)
print([name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore")])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=EDGE, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
