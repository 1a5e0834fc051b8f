"""The two stacks together, under the sets of parameters that the checks look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.ecs.template_reading import Json, Stack, make

BASE_STACK = "mxgw-base"
SERVICE_STACK = "mxgw-edge"

BASE_PARAMETERS = {"Domains": "example.jp,example.com", "AlertEmail": "admin@example.net"}
SERVICE_PARAMETERS = {
    "ImageTag": "0.1.0",
    "MxHostname": "mx.example.jp",
    "HomeAddress": "lmtp://100.64.0.10:2525",
}

BASE_CHOICES = ({}, {"ChatService": "slack"})
SERVICE_CHOICES = (
    {},
    {"TlsCertificate": "self-signed", "CpuArchitecture": "ARM64", "MinTasks": "2", "NoMailHours": "168"},
    {
        "ExistingVpcId": "vpc-0123456789abcdef0",
        "ExistingSubnetA": "subnet-0123456789abcdef0",
        "ExistingSubnetB": "subnet-0123456789abcdef1",
    },
)


@dataclass(frozen=True)
class Deployment:
    """Both stacks as they would be made, and the templates they come from."""

    base: Stack
    service: Stack
    templates: Mapping[str, Json]

    @property
    def task(self) -> Json:
        """The task definition."""
        return self.service.only("AWS::ECS::TaskDefinition")

    @property
    def containers(self) -> dict[str, Json]:
        """The container definitions by name."""
        return {container["Name"]: container for container in self.task["ContainerDefinitions"]}

    @property
    def mxgw(self) -> Json:
        """The container of the gateway."""
        return self.containers["mxgw"]

    @property
    def tailscale(self) -> Json:
        """The sidecar."""
        return self.containers["tailscale"]

    @property
    def ecs_service(self) -> Json:
        """The ECS service."""
        return self.service.only("AWS::ECS::Service")

    def both(self, kind: str) -> dict[str, Json]:
        """The properties of all resources of a type in both stacks."""
        return {**self.base.of_type(kind), **self.service.of_type(kind)}


def environment(container: Json) -> dict[str, Any]:
    """The plain environment of a container."""
    return {entry["Name"]: entry["Value"] for entry in container.get("Environment", [])}


def secrets_of(container: Json) -> dict[str, str]:
    """The secret environment of a container: name to where the value comes from."""
    return {entry["Name"]: entry["ValueFrom"] for entry in container.get("Secrets", [])}


def has_certificate(deployment: Deployment) -> bool:
    """Whether the gateway is told where its certificate is."""
    return "MXGW_TLS_CERT" in environment(deployment.mxgw)


def attributes(entries: list[Json]) -> dict[str, str]:
    """A list of Key and Value as a dict."""
    return {entry["Key"]: entry["Value"] for entry in entries}


def deployments(base: Json, service: Json) -> Iterator[Deployment]:
    """The deployments under every choice. Raises TemplateMistake where a template refers to nothing."""
    templates = {"base": base, "service": service}
    for base_choice in BASE_CHOICES:
        base_stack = make(base, BASE_STACK, BASE_PARAMETERS | base_choice, label="base:")
        for service_choice in SERVICE_CHOICES:
            parameters = SERVICE_PARAMETERS | service_choice
            service_stack = make(service, SERVICE_STACK, parameters, imports=base_stack.exports)
            yield Deployment(base_stack, service_stack, templates)
