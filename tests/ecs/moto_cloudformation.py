"""What moto's CloudFormation lacks for the two templates: network load balancers and secrets.

moto 5.2 makes every load balancer an application load balancer (it reads neither ``Type`` nor
``SubnetMappings``), has no names for CloudWatch dimensions, and passes over secrets, so that what they export
cannot be imported. Everything else that it passes over stays so, and test_ecs_moto.py names it.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any, Self

import pytest
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.secretsmanager.models import secretsmanager_backends

Json = Mapping[str, Any]

_ARN_PREFIXES = {
    "LoadBalancerFullName": ":loadbalancer/",
    "TargetGroupFullName": ":",
}


class TemplateSecret(CloudFormationModel):
    """AWS::SecretsManager::Secret: Ref is its ARN; a value only where the template has one generated."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    @property
    def physical_resource_id(self) -> str:
        return self.arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **_: Any
    ) -> Self:
        properties = cloudformation_json["Properties"]
        value = None
        if "GenerateSecretString" in properties:
            length = int(properties["GenerateSecretString"]["PasswordLength"])
            value = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
        answer = secretsmanager_backends[account_id][region_name].create_secret(
            name=resource_name,
            secret_string=value,
            secret_binary=None,
            description=properties.get("Description"),
            tags=None,
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        return cls(json.loads(answer)["ARN"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: Json,
        account_id: str,
        region_name: str,
    ) -> Self:
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        backend = secretsmanager_backends[account_id][region_name]
        backend.delete_secret(resource_name, recovery_window_in_days=None, force_delete_without_recovery=True)


def _create_load_balancer(
    _: type[FakeLoadBalancer], name: str, template: Json, account_id: str, region_name: str, **__: Any
) -> FakeLoadBalancer:
    properties = template["Properties"]
    backend = elbv2_backends[account_id][region_name]
    balancer = backend.create_load_balancer(
        name=name,
        security_groups=properties.get("SecurityGroups", []),
        subnet_ids=properties.get("Subnets", []),
        subnet_mappings=properties.get("SubnetMappings", []),
        scheme=properties.get("Scheme", "internet-facing"),
        loadbalancer_type=properties.get("Type", "application"),
        ip_address_type=properties.get("IpAddressType", "ipv4"),
    )
    for attribute in properties.get("LoadBalancerAttributes", []):
        balancer.attrs[attribute["Key"]] = attribute["Value"]
    return balancer


def _full_name(resource: FakeLoadBalancer | FakeTargetGroup, attribute: str) -> str:
    """What CloudWatch calls a balancer or a target group: the end of its ARN."""
    prefix = _ARN_PREFIXES[attribute]
    return str(resource.arn).rpartition(prefix)[2]


def teach_moto(patch: pytest.MonkeyPatch) -> None:
    """Teach moto what it lacks, until ``patch`` is undone."""
    plain_attribute = FakeLoadBalancer.get_cfn_attribute

    def balancer_attribute(balancer: FakeLoadBalancer, attribute: str) -> Any:
        if attribute == "LoadBalancerFullName":
            return _full_name(balancer, attribute)
        return plain_attribute(balancer, attribute)

    patch.setattr(FakeLoadBalancer, "create_from_cloudformation_json", classmethod(_create_load_balancer))
    patch.setattr(FakeLoadBalancer, "get_cfn_attribute", balancer_attribute)
    patch.setattr(FakeTargetGroup, "get_cfn_attribute", _full_name, raising=False)
    # moto lists its models once; TemplateSecret may have been defined after that.
    for listing in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        listing.cache_clear()
