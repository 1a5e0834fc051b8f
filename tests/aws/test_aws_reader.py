"""Reading from AWS: what is there is read as it is; what goes wrong is told with what to do about it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import pytest

from mxgw.aws import AwsReader
from mxgw.aws.reader import ATTEMPTS, part
from mxgw.config import Parameter, Reference, Secret
from tests.aws.cloud import KEYS, REGION, Cloud, RefusingCloud, TaskRole, environment
from tests.rig.process import free_port

DOMAINS = Parameter("/mxgw/domains")
KEY = Secret("mxgw/key")
ROLE = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


def reader(patch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> AwsReader:
    """A reader in a process that has just this of AWS in its environment."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", ROLE, *KEYS):
        patch.delenv(name, raising=False)
    for name, value in environ.items():
        patch.setenv(name, value)
    return AwsReader()


@pytest.fixture
def account(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> AwsReader:
    return reader(monkeypatch, cloud.environment())


def refusal_of(asked: AwsReader, reference: Reference) -> str:
    with pytest.raises(ValueError) as caught:
        asked.round()(reference)
    assert str(caught.value).isprintable()
    return str(caught.value)


# What is there.


@pytest.mark.parametrize("kind", ["String", "StringList", "SecureString"])
def test_a_parameter_of_any_kind_is_read(cloud: Cloud, account: AwsReader, kind: str) -> None:
    cloud.put_parameter(f"/mxgw/{kind}", "example.jp,example.com", kind)

    assert account.round()(Parameter(f"/mxgw/{kind}")) == "example.jp,example.com"


def test_a_secret_is_read_by_its_name_and_by_its_arn(cloud: Cloud, account: AwsReader) -> None:
    arn = cloud.put_secret("mxgw/key", "sixteen or more characters")

    assert account.round()(Secret("mxgw/key")) == "sixteen or more characters"
    assert account.round()(Secret(arn)) == "sixteen or more characters"


def test_a_key_of_a_secret_in_json_is_read(cloud: Cloud, account: AwsReader) -> None:
    cloud.put_secret("mxgw/pair", {"certificate": "one", "key": "two"})

    assert account.round()(Secret("mxgw/pair", "key")) == "two"
    assert json.loads(account.round()(Secret("mxgw/pair"))) == {"certificate": "one", "key": "two"}


def test_a_secret_put_as_octets_is_text_where_it_can_be(cloud: Cloud, account: AwsReader) -> None:
    cloud.put_secret("mxgw/octets", "鍵 as text".encode())
    cloud.put_secret("mxgw/binary", bytes(range(128, 160)))

    assert account.round()(Secret("mxgw/octets")) == "鍵 as text"
    assert "the secret is binary; put it as text" in refusal_of(account, Secret("mxgw/binary"))


def test_the_region_is_that_of_the_arn_or_else_of_the_environment(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = cloud.client("secretsmanager", "eu-west-1").create_secret(Name="far", SecretString="away")

    here = reader(monkeypatch, cloud.environment())
    assert here.round()(Secret(elsewhere["ARN"])) == "away"
    assert "no such secret in ap-northeast-1" in refusal_of(here, Secret("far"))

    there = reader(monkeypatch, {**environment(cloud.endpoint, region=""), "AWS_DEFAULT_REGION": "eu-west-1"})
    assert there.round()(Secret("far")) == "away"


def test_parts_of_a_secret_are_of_one_version_within_a_round(cloud: Cloud, account: AwsReader) -> None:
    cloud.put_secret("mxgw/renewed", {"certificate": "old", "key": "old"})
    first, second = account.round(), account.round()

    assert first(Secret("mxgw/renewed", "certificate")) == "old"
    cloud.put_secret("mxgw/renewed", {"certificate": "new", "key": "new"})

    assert first(Secret("mxgw/renewed", "key")) == "old"
    assert second(Secret("mxgw/renewed", "certificate")) == "new"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("plain hush", "the secret is no JSON"),
        ('["hush"]', "no JSON object"),
        ('"hush"', "no JSON object"),
        ('{"Key": "hush"}', "no text under the key key"),
        ('{"key": 12345}', "no text under the key key"),
        ('{"key": null, "hush": 1}', "no text under the key key"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_key_that_is_not_there_is_named_and_no_value_shown(value: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        part(value, "key")

    assert problem in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "12345" not in str(caught.value)


# What goes wrong.


def test_a_parameter_that_is_not_there_is_told_with_how_to_make_it(account: AwsReader) -> None:
    told = refusal_of(account, Parameter("/mxgw/nowhere"))

    assert f"there is no such parameter in {REGION}" in told
    assert "aws ssm put-parameter" in told


def test_a_secret_that_is_not_there_or_empty_is_told_with_how_to_fill_it(
    cloud: Cloud, account: AwsReader
) -> None:
    cloud.client("secretsmanager").create_secret(Name="mxgw/empty")

    for name in ("mxgw/nowhere", "mxgw/empty"):
        told = refusal_of(account, Secret(name))
        assert f"no such secret in {REGION}, or it has no value yet" in told
        assert "aws secretsmanager put-secret-value" in told


def test_a_secret_marked_for_deletion_is_told_with_how_to_keep_it(cloud: Cloud, account: AwsReader) -> None:
    cloud.put_secret("mxgw/going", "hush hush hush hush")
    cloud.client("secretsmanager").delete_secret(SecretId="mxgw/going")

    told = refusal_of(account, Secret("mxgw/going"))

    assert "marked for deletion" in told
    assert "restore-secret" in told


@pytest.mark.parametrize(
    ("reference", "permission"),
    [(DOMAINS, "ssm:GetParameter"), (KEY, "secretsmanager:GetSecretValue")],
)
def test_denied_access_names_the_region_and_the_permission(
    monkeypatch: pytest.MonkeyPatch, reference: Reference, permission: str
) -> None:
    with RefusingCloud("AccessDeniedException", "User: x is not authorized to perform y") as cloud:
        told = refusal_of(reader(monkeypatch, environment(cloud.endpoint)), reference)

        assert told == f"AWS denies access in {REGION}; allow {permission} on it in the task role"
        assert cloud.requests == 1


def test_a_role_without_the_permission_is_denied_and_one_that_has_it_reads(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put_parameter("/mxgw/guarded", "example.jp")
    iam = cloud.client("iam")
    iam.create_user(UserName="task")
    made = iam.create_access_key(UserName="task")["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    task = reader(monkeypatch, environment(cloud.endpoint, keys=keys))

    cloud.enforce_iam(after_requests="0")
    try:
        told = refusal_of(task, Parameter("/mxgw/guarded"))
        cloud.enforce_iam(after_requests="inf")
        policy = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        iam.put_user_policy(UserName="task", PolicyName="domains", PolicyDocument=document)
        cloud.enforce_iam(after_requests="0")
        read = task.round()(Parameter("/mxgw/guarded"))
    finally:
        cloud.enforce_iam(after_requests="inf")

    assert told == f"AWS denies access in {REGION}; allow ssm:GetParameter on it in the task role"
    assert read == "example.jp"


def test_the_role_of_a_task_gives_the_credentials(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.put_parameter("/mxgw/by-role", "example.jp")
    role = {
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": "2100-01-01T00:00:00Z",
    }
    with TaskRole(role) as endpoint:
        keys = {ROLE: endpoint}
        task = reader(monkeypatch, environment(cloud.endpoint, keys=keys))

        assert task.round()(Parameter("/mxgw/by-role")) == "example.jp"


def test_throttling_is_tried_again_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with RefusingCloud("ThrottlingException", "Rate exceeded") as cloud:
        told = refusal_of(reader(monkeypatch, environment(cloud.endpoint)), DOMAINS)

        assert "too many requests; try again in a minute" in told
        assert cloud.requests == ATTEMPTS


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UnrecognizedClientException", "does not accept the credentials"),
        ("ExpiredTokenException", "does not accept the credentials"),
        ("DecryptionFailure", "allow kms:Decrypt"),
        ("OddException", "AWS answers OddException in ap-northeast-1: something  odd"),
    ],
)
def test_what_else_aws_says_is_told(monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
    with RefusingCloud(code, "something\n odd") as cloud:
        assert words in refusal_of(reader(monkeypatch, environment(cloud.endpoint)), KEY)


def test_missing_credentials_are_told_for_a_task_and_for_a_person(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = reader(monkeypatch, environment(cloud.endpoint, keys={}))

    told = refusal_of(nobody, DOMAINS)

    assert told == (
        f"no AWS credentials for {REGION}; in a task, give it a task role that allows ssm:GetParameter; "
        "elsewhere set AWS_PROFILE"
    )


def test_half_of_the_credentials_are_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    half = reader(monkeypatch, environment(cloud.endpoint, keys={"AWS_ACCESS_KEY_ID": "testing"}))

    assert f"the AWS credentials for {REGION} cannot be had" in refusal_of(half, DOMAINS)


def test_a_missing_region_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = reader(monkeypatch, environment(cloud.endpoint, region=""))

    assert refusal_of(nowhere, DOMAINS) == (
        "no AWS region is known; set AWS_REGION, for example AWS_REGION=ap-northeast-1"
    )


def test_an_unknown_profile_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = reader(monkeypatch, {**cloud.environment(), "AWS_PROFILE": "lost"})

    assert "(lost) could not be found" in refusal_of(lost, DOMAINS)


def test_an_endpoint_where_nobody_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = reader(monkeypatch, environment(f"http://127.0.0.1:{free_port()}"))

    assert f"Systems Manager in {REGION} does not answer" in refusal_of(alone, DOMAINS)


def test_an_endpoint_that_is_no_url_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not a url" in refusal_of(reader(monkeypatch, environment("not a url")), DOMAINS)


def test_a_program_without_boto3_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, account: AwsReader
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore", None)

    assert refusal_of(account, DOMAINS) == "boto3 is not installed; install it: pip install 'mxgw[aws]'"
