"""Both stacks made, updated and imported from one another in moto, which takes their place of AWS here.

moto proves little: it passes over whole resource types and stores few properties (the checks on the parsed
templates look at those). So what it passes over is named exactly: a type that is new here, or that moto has
learnt, has to be looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mxgw.aws import AwsReader
from mxgw.config import Pem, Role, Secret, load
from tests.ecs.deployment import BASE_PARAMETERS, BASE_STACK, SERVICE_PARAMETERS, SERVICE_STACK
from tests.ecs.moto_cloud import REGION, Cloud, empty_cloud, outputs
from tests.ecs.template_reading import BASE, SERVICE

PEM = "-----BEGIN {0}-----\nnot looked at here\n-----END {0}-----\n"

SKIPPED_IN_BASE = {"AWS::SNS::Subscription"}
SKIPPED_WITH_CHAT = SKIPPED_IN_BASE | {"AWS::CloudWatch::Alarm"}
SKIPPED_IN_SERVICE = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::Logs::MetricFilter",
}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An empty account."""
    with empty_cloud(monkeypatch) as empty:
        yield empty


@pytest.fixture
def base(cloud: Cloud) -> dict[str, str]:
    """The outputs of the base stack, which is there."""
    stack = cloud.create(BASE_STACK, BASE.read_text("utf-8"), BASE_PARAMETERS)
    cloud.skipped()
    return outputs(stack)


def test_the_base_stack_is_created_but_for_the_subscription(cloud: Cloud) -> None:
    stack = cloud.create(BASE_STACK, BASE.read_text("utf-8"), BASE_PARAMETERS)

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert cloud.skipped() == SKIPPED_IN_BASE
    assert cloud.client("ssm").get_parameter(Name="/mxgw-base/domains")["Parameter"]["Value"] == (
        "example.jp,example.com"
    )
    groups = cloud.client("logs").describe_log_groups()["logGroups"]
    assert {group["retentionInDays"] for group in groups} == {30}
    repository = cloud.client("ecr").describe_repositories()["repositories"][0]
    assert repository["repositoryName"] == "mxgw"


def test_the_chat_brings_its_function_role_and_secret(cloud: Cloud) -> None:
    stack = cloud.create(BASE_STACK, BASE.read_text("utf-8"), BASE_PARAMETERS | {"ChatService": "line"})

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert cloud.skipped() == SKIPPED_WITH_CHAT
    function = cloud.client("lambda").list_functions()["Functions"][0]
    assert function["Environment"]["Variables"] == {
        "CHAT_SERVICE": "line",
        "CHAT_SECRET": outputs(stack)["ChatSecretArn"],
    }


def test_only_the_seal_key_has_a_value_at_first(cloud: Cloud, base: dict[str, str]) -> None:
    secrets = cloud.client("secretsmanager")

    key = secrets.get_secret_value(SecretId=base["SealKeySecretArn"])["SecretString"]

    assert re.fullmatch("[A-Za-z0-9]{48}", key)
    for name in ("TailscaleSecretArn", "TlsSecretArn"):
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            secrets.get_secret_value(SecretId=base[name])


def test_the_service_stack_imports_from_the_base_stack(cloud: Cloud, base: dict[str, str]) -> None:
    stack = cloud.create(SERVICE_STACK, SERVICE.read_text("utf-8"), SERVICE_PARAMETERS)

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert cloud.skipped() == SKIPPED_IN_SERVICE
    assert outputs(stack)["MxRecord"] == "10 mx.example.jp."
    (task,) = _task_definitions(cloud)
    gateway, sidecar = task["containerDefinitions"]
    assert gateway["image"] == f"{base['RepositoryUri']}:0.1.0"
    assert {"name": "MXGW_DOMAINS", "value": f"ssm:{base['DomainsParameterName']}"} in gateway["environment"]
    assert {entry["name"]: entry["valueFrom"] for entry in gateway["secrets"]} == {
        "MXGW_SEAL_KEY": base["SealKeySecretArn"],
    }
    for name, key in (("MXGW_TLS_CERT", "certificate"), ("MXGW_TLS_KEY", "key")):
        reference = f"secret:{base['TlsSecretArn']}#{key}"
        assert {"name": name, "value": reference} in gateway["environment"]
    assert sidecar["secrets"] == [{"name": "TS_AUTHKEY", "valueFrom": base["TailscaleSecretArn"]}]
    assert gateway["logConfiguration"]["options"]["awslogs-group"] == base["GatewayLogGroupName"]


def test_the_load_balancer_is_a_public_network_load_balancer_in_two_subnets(
    cloud: Cloud, base: dict[str, str]
) -> None:
    cloud.create(SERVICE_STACK, SERVICE.read_text("utf-8"), SERVICE_PARAMETERS)

    balancers = cloud.client("elbv2")
    (balancer,) = balancers.describe_load_balancers()["LoadBalancers"]
    assert (balancer["Type"], balancer["Scheme"], balancer["IpAddressType"]) == (
        "network",
        "internet-facing",
        "ipv4",
    )
    assert len(balancer["AvailabilityZones"]) == 2
    assert len(balancer["SecurityGroups"]) == 1
    (listener,) = balancers.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert (listener["Port"], listener["Protocol"]) == (25, "TCP")
    (group,) = balancers.describe_target_groups()["TargetGroups"]
    assert listener["DefaultActions"][0]["TargetGroupArn"] == group["TargetGroupArn"]
    assert (group["Port"], group["HealthCheckPath"], group["TargetType"]) == (8025, "/readyz", "ip")


def test_what_the_task_is_told_is_enough_to_read_domains_key_and_certificate(
    cloud: Cloud, base: dict[str, str]
) -> None:
    """The environment as ECS would set it, read by the program itself."""
    secrets = cloud.client("secretsmanager")
    pair = {"certificate": PEM.format("CERTIFICATE"), "key": PEM.format("PRIVATE KEY")}
    secrets.put_secret_value(SecretId=base["TlsSecretArn"], SecretString=json.dumps(pair))
    cloud.create(SERVICE_STACK, SERVICE.read_text("utf-8"), SERVICE_PARAMETERS)
    (task,) = _task_definitions(cloud)
    gateway = task["containerDefinitions"][0]
    handed = {
        entry["name"]: secrets.get_secret_value(SecretId=entry["valueFrom"])["SecretString"]
        for entry in gateway["secrets"]
    }
    # The volume is not here.
    told = {entry["name"]: entry["value"] for entry in gateway["environment"]} | {"MXGW_SPOOL_DIR": "/"}

    config = load(told | handed, role=Role.EDGE, fetch=AwsReader({"AWS_REGION": REGION}).round())

    assert not isinstance(config, list), config
    assert config.domains.names == ("example.jp", "example.com")
    assert isinstance(config.tls_cert, Pem)
    assert isinstance(config.tls_key, Pem)
    assert (config.tls_cert.text, config.tls_key.text) == (pair["certificate"], pair["key"])
    assert config.tls_cert.reference == Secret(base["TlsSecretArn"], "certificate")


def test_without_a_certificate_the_tasks_get_none(cloud: Cloud, base: dict[str, str]) -> None:
    parameters = SERVICE_PARAMETERS | {"TlsCertificate": "self-signed"}

    cloud.create(SERVICE_STACK, SERVICE.read_text("utf-8"), parameters)

    (task,) = _task_definitions(cloud)
    gateway = task["containerDefinitions"][0]
    names = {entry["name"] for entry in [*gateway["secrets"], *gateway["environment"]] if entry}
    assert "MXGW_SEAL_KEY" in names
    assert not {"MXGW_TLS_CERT", "MXGW_TLS_KEY"} & names


def test_in_an_existing_vpc_no_network_is_made(cloud: Cloud, base: dict[str, str]) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/24")["Vpc"]["VpcId"]
    first, second = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        for cidr in ("10.9.0.0/26", "10.9.0.64/26")
    )
    before = len(ec2.describe_vpcs()["Vpcs"])

    stack = cloud.create(
        SERVICE_STACK,
        SERVICE.read_text("utf-8"),
        SERVICE_PARAMETERS | {"ExistingVpcId": vpc, "ExistingSubnetA": first, "ExistingSubnetB": second},
    )

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    (balancer,) = cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == {first, second}


def test_an_update_makes_a_new_task_definition_and_leaves_the_count_alone(
    cloud: Cloud, base: dict[str, str]
) -> None:
    stack = cloud.create(SERVICE_STACK, SERVICE.read_text("utf-8"), SERVICE_PARAMETERS)
    ecs, names = cloud.client("ecs"), outputs(stack)
    service = {"cluster": names["ClusterName"], "services": [names["ServiceName"]]}
    ecs.update_service(cluster=names["ClusterName"], service=names["ServiceName"], desiredCount=4)

    # moto sees a changed parameter only where a Ref names it.
    parameters = SERVICE_PARAMETERS | {"DmarcPolicy": "reject"}
    updated = cloud.update(SERVICE_STACK, SERVICE.read_text("utf-8"), parameters)

    assert updated["StackStatus"] == "UPDATE_COMPLETE"
    assert cloud.skipped() == SKIPPED_IN_SERVICE
    # Of an updated definition moto keeps no more than that there is one.
    assert [task["revision"] for task in _task_definitions(cloud)] == [2]
    assert ecs.describe_services(**service)["services"][0]["desiredCount"] == 4


def test_the_base_stack_is_updated_without_touching_the_addresses(cloud: Cloud, base: dict[str, str]) -> None:
    parameters = BASE_PARAMETERS | {"AlertEmail": "other@example.net", "ChatService": "slack"}

    updated = cloud.update(BASE_STACK, BASE.read_text("utf-8"), parameters)

    assert updated["StackStatus"] == "UPDATE_COMPLETE"
    after = outputs(updated)
    assert {name: after[name] for name in base} == base


def _task_definitions(cloud: Cloud) -> list[dict[str, Any]]:
    ecs = cloud.client("ecs")
    return [
        ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for arn in ecs.list_task_definitions()["taskDefinitionArns"]
    ]
