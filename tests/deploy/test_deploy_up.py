"""``mxgw deploy up`` and ``plan``: from an empty account to an edge, again, and after a change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.deploy.deploy_rig import TAILSCALE, Aws, Desk, did, lines, running_edge


@pytest.fixture
def deployed(desk: Desk) -> Desk:
    """A desk whose edge is there."""
    ended = desk.deploy("up", "--yes", "--no-verify")
    assert ended.code == 0, ended.out + ended.err
    return desk


def test_an_empty_account_becomes_an_edge(desk: Desk, aws: Aws) -> None:
    ended = desk.deploy("up", "--yes", "--no-verify")

    assert ended.code == 0, ended.out + ended.err
    assert aws.stacks() == {"mxgw-base": "CREATE_COMPLETE", "mxgw-edge": "CREATE_COMPLETE"}
    base = aws.outputs("mxgw-base")
    secrets = aws.client("secretsmanager")
    value = secrets.get_secret_value(SecretId=base["TailscaleSecretArn"])["SecretString"]
    assert value == f"{TAILSCALE}?ephemeral=true&preauthorized=true"
    [image] = aws.client("ecr").describe_images(repositoryName="mxgw")["imageDetails"]
    assert image["imageTags"] == [aws.image_tag()]
    task = aws.client("ecs").describe_task_definition(taskDefinition="mxgw-edge")["taskDefinition"]
    assert task["containerDefinitions"][0]["image"] == f"{base['RepositoryUri']}:{aws.image_tag()}"
    records = [(one["record"], one["name"], one["value"]) for one in lines(ended) if "record" in one]
    assert records == [
        ("A", "mx.example.jp", base["MxAddressA"]),
        ("A", "mx.example.jp", base["MxAddressB"]),
        ("MX", "example.jp", "10 mx.example.jp."),
    ]


def test_no_secret_is_printed_or_on_a_command_line(desk: Desk) -> None:
    ended = desk.deploy("up", "--yes", "--no-verify")

    login = next(call for call in desk.docker_calls if call["words"][0] == "login")
    assert login["stdin"]
    assert login["words"][1:4] == ["--username", "AWS", "--password-stdin"]
    assert login["stdin"] not in json.dumps([call["words"] for call in desk.docker_calls])
    assert TAILSCALE not in ended.out + ended.err
    assert login["stdin"] not in ended.out + ended.err


def test_a_second_time_changes_nothing(deployed: Desk, aws: Aws) -> None:
    before = len(deployed.docker_calls)

    ended = deployed.deploy("up", "--no-verify")

    assert ended.code == 0, ended.out + ended.err
    assert did(ended).count("stack-same") == 2
    assert "image-there" in did(ended)
    assert len(deployed.docker_calls) == before
    assert aws.stacks() == {"mxgw-base": "CREATE_COMPLETE", "mxgw-edge": "CREATE_COMPLETE"}


def test_another_source_is_another_image(deployed: Desk, aws: Aws) -> None:
    first = aws.image_tag()
    deployed.change_source()

    ended = deployed.deploy("up", "--yes", "--no-verify")

    assert ended.code == 0, ended.out + ended.err
    assert aws.image_tag() != first
    assert [one["resource"] for one in lines(ended) if one.get("change") == "modify"]


def test_a_fresh_build_stays_until_the_source_changes(deployed: Desk, aws: Aws) -> None:
    plain = aws.image_tag()

    fresh = deployed.deploy("up", "--yes", "--no-verify", "--fresh")
    after = deployed.deploy("up", "--yes", "--no-verify")

    assert (fresh.code, after.code) == (0, 0), fresh.out + after.out
    assert aws.image_tag().startswith(f"{plain}-2")
    build = [call["words"] for call in deployed.docker_calls if call["words"][0] == "build"][-1]
    assert "--no-cache" in build
    assert did(after).count("stack-same") == 2


def test_a_domain_that_was_added_at_home_is_kept(deployed: Desk, aws: Aws) -> None:
    aws.client("ssm").put_parameter(Name="/mxgw-base/domains", Value="example.jp,example.com", Overwrite=True)
    deployed.settings(
        domains=["example.jp", "example.org"], chat_service="slack", chat_secret_file="chat.txt"
    )
    (deployed.checkout / "ecs" / "chat.txt").write_text("https://hooks.example.net/T0/B0")

    ended = deployed.deploy("up", "--yes", "--no-verify")

    assert ended.code == 0, ended.out + ended.err
    value = aws.client("ssm").get_parameter(Name="/mxgw-base/domains")["Parameter"]["Value"]
    assert value == "example.jp,example.com"
    [missing] = [one for one in lines(ended) if one.get("did") == "domains-missing"]
    assert missing["domains"] == "example.org"
    arn = aws.outputs("mxgw-base")["ChatSecretArn"]
    chat = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    assert json.loads(chat) == {"url": "https://hooks.example.net/T0/B0"}


def test_a_plan_leaves_nothing_behind(desk: Desk, aws: Aws) -> None:
    ended = desk.deploy("up", "--dry-run")

    assert ended.code == 0, ended.out + ended.err
    assert aws.stacks() == {}
    assert {"Repository", "MxAddressA"} <= {one.get("resource") for one in lines(ended)}
    assert did(ended)[-1] == "plan-done"
    assert not any(call["words"][0] in {"build", "push", "login"} for call in desk.docker_calls)


def test_a_plan_shows_what_a_change_would_do(deployed: Desk, aws: Aws) -> None:
    deployed.settings(no_mail_hours=48)

    ended = deployed.deploy("plan")

    assert ended.code == 0, ended.out + ended.err
    assert "stack-same" in did(ended)
    assert any(one.get("stack") == "mxgw-edge" and "change" in one for one in lines(ended))
    parameters = aws.client("cloudformation").describe_stacks(StackName="mxgw-edge")["Stacks"][0][
        "Parameters"
    ]
    assert {"ParameterKey": "NoMailHours", "ParameterValue": "24"} in parameters


def test_what_would_be_lost_needs_more_than_yes(deployed: Desk, aws: Aws) -> None:
    # moto never says that something is replaced: the answer is made up.
    change = (
        "<member><Type>Resource</Type><ResourceChange><Action>Modify</Action>"
        "<LogicalResourceId>MxAddressA</LogicalResourceId><ResourceType>AWS::EC2::EIP</ResourceType>"
        "<Replacement>True</Replacement></ResourceChange></member>"
    )
    xml = (
        f"<DescribeChangeSetResponse><DescribeChangeSetResult><Changes>{change}</Changes>"
        "<Status>CREATE_COMPLETE</Status></DescribeChangeSetResult></DescribeChangeSetResponse>"
    )
    aws.order("reply", action="DescribeChangeSet", xml=xml)
    deployed.settings(alert_email="other@example.net")

    ended = deployed.deploy("up", "--yes", "--no-verify")

    assert ended.code == 2
    assert "MxAddressA would be replaced or removed" in ended.err
    assert "--accept-loss" in ended.err
    [told] = [one for one in lines(ended) if one.get("change") == "replace"]
    assert (told["resource"], told["loss"]) == ("MxAddressA", "sure")
    assert aws.stacks()["mxgw-base"] == "CREATE_COMPLETE"


def test_the_edge_is_looked_at_from_outside(desk: Desk) -> None:
    relays = {"RCPT TO:<mxgw-doctor@example.com>": "250 2.1.5 OK"}
    with running_edge(desk.bin, **relays) as place:
        ended = desk.deploy("up", "--yes", "--verify-at", place, "--dns", "127.0.0.1:9")

    checks = {one["check"]: one for one in lines(ended) if "check" in one}
    assert checks["port"]["level"] == "ok"
    assert checks["certificate-name"]["level"] == "ok"
    assert checks["relay"]["level"] == "failed"
    assert checks["relay"]["mend"]
    assert ended.code == 1
    assert did(ended)[-1] == "verify-failed"


def test_an_empty_seal_key_is_made_again(deployed: Desk, aws: Aws) -> None:
    arn = aws.outputs("mxgw-base")["SealKeySecretArn"]
    secrets = aws.client("secretsmanager")
    secrets.put_secret_value(SecretId=arn, SecretString=" ")

    ended = deployed.deploy("up", "--yes", "--no-verify")

    assert "seal-key-made" in did(ended)
    assert len(secrets.get_secret_value(SecretId=arn)["SecretString"]) == 48


def test_a_certificate_from_files_is_put(desk: Desk, aws: Aws) -> None:
    from tests.doctor.doctor_rig import issue

    certificate, key, _ = issue(desk.checkout / "ecs")
    desk.settings(tls_certificate=None, certificate_file=certificate.name, certificate_key_file=key.name)

    ended = desk.deploy("up", "--yes", "--no-verify")

    assert ended.code == 0, ended.out + ended.err
    arn = aws.outputs("mxgw-base")["TlsSecretArn"]
    value = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    assert value == {"certificate": Path(certificate).read_text(), "key": Path(key).read_text()}
