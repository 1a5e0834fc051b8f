"""Checks of the way from the internet to a task: balancer, target group, ports, security groups, addresses.

A check takes a deployment and yields what is wrong with it, in words; nothing where all is well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mxgw.config import Config, Role, load
from tests.ecs.deployment import Deployment, attributes, environment
from tests.ecs.template_reading import Json

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"

SMTP_PORT = 25
COMMAND_SECONDS = 300
"""RFC 5321 section 4.5.3.2: how long a client may be silent between commands."""

BALANCER_ATTRIBUTES = {"load_balancing.cross_zone.enabled": "true"}
GROUP_ATTRIBUTES = {
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "deregistration_delay.timeout_seconds": "120",
    "deregistration_delay.connection_termination.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "false",
    "target_health_state.unhealthy.draining_interval_seconds": "120",
}
IDLE_TIMEOUT = "tcp.idle_timeout.seconds"
MIN_IDLE_SECONDS, MAX_IDLE_SECONDS = 60, 6000

_RULE_TEXT = re.compile(r"[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}")
"""What EC2 takes as the description of a group or a rule."""


def ports_agree(deployment: Deployment) -> Iterator[str]:
    """One port for mail and one for health, the same wherever it is named."""
    service, task = deployment.service, deployment.mxgw
    group, listener = service.only(TARGET_GROUP), service.only(LISTENER)
    settings = environment(task)
    mail = int(settings["MXGW_LISTEN"].rpartition(":")[2])
    health = int(settings["MXGW_HTTP_LISTEN"].rpartition(":")[2])
    if min(mail, health) < 1024 or mail == health:
        yield f"ports {mail} and {health}: a user without privileges needs two ports above 1023"
    mapped = {mapping["ContainerPort"] for mapping in task["PortMappings"]}
    if mapped != {mail, health}:
        yield f"the container maps {mapped}, the program listens at {mail} and {health}"
    if listener["Port"] != SMTP_PORT:
        yield f"the listener takes port {listener['Port']}; mail comes to {SMTP_PORT}"
    if group["Port"] != mail:
        yield f"the target group sends to {group['Port']}, the program listens at {mail}"
    if str(group["HealthCheckPort"]) != str(health):
        yield f"health is asked at {group['HealthCheckPort']}, the program answers at {health}"
    targets = deployment.ecs_service["LoadBalancers"]
    if [(target["ContainerName"], target["ContainerPort"]) for target in targets] != [("mxgw", mail)]:
        yield f"the service registers {targets}, not mxgw at {mail}"
    if listener["DefaultActions"] != [{"Type": "forward", "TargetGroupArn": targets[0]["TargetGroupArn"]}]:
        yield "the listener does not forward to the service's target group"
    probe = " ".join(task["HealthCheck"]["Command"])
    if f'"127.0.0.1", {health}' not in probe:
        yield f"the container's own health check does not ask 127.0.0.1:{health}"
    yield from _groups_let_through(deployment, mail, health)


def _groups_let_through(deployment: Deployment, mail: int, health: int) -> Iterator[str]:
    groups = deployment.service.of_type(SECURITY_GROUP)
    balancer, task = groups["BalancerSecurityGroup"], groups["TaskSecurityGroup"]
    expected = {("tcp", mail, mail), ("tcp", health, health)}
    if [_range(rule) for rule in balancer["SecurityGroupIngress"]] != [("tcp", SMTP_PORT, SMTP_PORT)]:
        yield "the balancer's group lets in something else than port 25"
    if {rule.get("CidrIp") for rule in balancer["SecurityGroupIngress"]} != {"0.0.0.0/0"}:
        yield "the balancer's group does not let in everybody"
    out = balancer.get("SecurityGroupEgress", [])
    if {_range(rule) for rule in out} != expected:
        yield f"the balancer's group lets out {sorted(map(_range, out))}, needed are {sorted(expected)}"
    if any(rule.get("DestinationSecurityGroupId") != "<TaskSecurityGroup.GroupId>" for rule in out):
        yield "the balancer's group lets out to others than the tasks"
    if task.get("SecurityGroupIngress"):
        yield "the tasks' group has rules of its own for what comes in"
    rules = deployment.service.of_type(INGRESS)
    if {_range(rule) for rule in rules.values()} != expected:
        yield f"the tasks are let in {sorted(map(_range, rules.values()))}, needed are {sorted(expected)}"
    for name, rule in rules.items():
        if rule["GroupId"] != "<TaskSecurityGroup.GroupId>":
            yield f"{name} is no rule of the tasks' group"
        if rule.get("SourceSecurityGroupId") != "<BalancerSecurityGroup.GroupId>" or "CidrIp" in rule:
            yield f"{name} lets in others than the balancer"
    balancers = deployment.service.only(LOAD_BALANCER)
    if balancers.get("SecurityGroups") != ["<BalancerSecurityGroup.GroupId>"]:
        yield "the balancer has not its group; it cannot be given one later"


def _range(rule: Json) -> tuple[str, int, int]:
    return (rule["IpProtocol"], rule.get("FromPort", 0), rule.get("ToPort", 65535))


def tasks_send_nothing_but_what_they_need(deployment: Deployment) -> Iterator[str]:
    """HTTPS for AWS and Tailscale, UDP for WireGuard: no port 25 to the world, no protocol in whole."""
    rules = deployment.service.of_type(SECURITY_GROUP)["TaskSecurityGroup"].get("SecurityGroupEgress")
    if not rules:
        yield "the tasks' group has no rules for what goes out: EC2 would allow all"
        return
    for rule in rules:
        protocol, low, high = _range(rule)
        if (protocol, low, high) == ("tcp", 443, 443) or (protocol == "udp" and low >= 1024):
            continue
        yield f"the tasks may send {protocol} {low}-{high}"


def attribute_keys_are_known(deployment: Deployment) -> Iterator[str]:
    """AWS takes unknown attribute keys for a mistake only while it deploys; cfn-lint takes them at all."""
    service = deployment.service
    balancer = attributes(service.only(LOAD_BALANCER).get("LoadBalancerAttributes", []))
    if balancer != BALANCER_ATTRIBUTES:
        yield f"balancer attributes {balancer}, expected {BALANCER_ATTRIBUTES}"
    group = attributes(service.only(TARGET_GROUP).get("TargetGroupAttributes", []))
    for key in sorted(set(group) | set(GROUP_ATTRIBUTES)):
        if group.get(key) != GROUP_ATTRIBUTES.get(key):
            yield f"target group attribute {key} is {group.get(key)}, expected {GROUP_ATTRIBUTES.get(key)}"
    listener = attributes(service.only(LISTENER).get("ListenerAttributes", []))
    if set(listener) != {IDLE_TIMEOUT}:
        yield f"listener attributes {sorted(listener)}, expected {IDLE_TIMEOUT}"


def silence_is_waited_out(deployment: Deployment) -> Iterator[str]:
    """The balancer must not cut a client that waits for our answer, nor one that thinks before a command."""
    listener = attributes(deployment.service.only(LISTENER).get("ListenerAttributes", []))
    seconds = int(listener.get(IDLE_TIMEOUT, "350"))
    settings = environment(deployment.mxgw)
    relay = float(settings.get("MXGW_RELAY_SECONDS", default_settings().relay_seconds))
    if not MIN_IDLE_SECONDS <= seconds <= MAX_IDLE_SECONDS:
        yield f"an idle timeout of {seconds} s is not possible"
    silence = max(COMMAND_SECONDS, relay)
    if seconds <= silence:
        yield f"idle clients are cut after {seconds} s; they may be silent for {silence:g} s"


def default_settings() -> Config:
    """The program's own defaults."""
    config = load({"MXGW_DOMAINS": "example.jp", "MXGW_HOME": "lmtp://127.0.0.1"}, role=Role.EDGE)
    if not isinstance(config, Config):
        raise TypeError(str(config))
    return config


def balancer_shows_the_client(deployment: Deployment) -> Iterator[str]:
    """A network load balancer, public, IPv4 only, TCP all the way, with fixed addresses in two zones."""
    service = deployment.service
    balancer, listener, group = (service.only(kind) for kind in (LOAD_BALANCER, LISTENER, TARGET_GROUP))
    wanted = {"Type": "network", "Scheme": "internet-facing", "IpAddressType": "ipv4"}
    for key, value in wanted.items():
        if balancer.get(key) != value:
            yield f"the balancer's {key} is {balancer.get(key)}, not {value}"
    if (listener["Protocol"], group["Protocol"]) != ("TCP", "TCP"):
        yield f"{listener['Protocol']} to {group['Protocol']}: STARTTLS begins in plain TCP"
    if (group["TargetType"], group.get("IpAddressType")) != ("ip", "ipv4"):
        yield "the targets are not IPv4 addresses"
    mappings = balancer.get("SubnetMappings", [])
    addresses = [mapping.get("AllocationId") for mapping in mappings]
    if addresses != ["<base:MxAddressA.AllocationId>", "<base:MxAddressB.AllocationId>"]:
        yield f"the balancer's addresses are {addresses}, not the two that DNS knows"
    subnets = [mapping["SubnetId"] for mapping in mappings]
    placement = deployment.ecs_service["NetworkConfiguration"]["AwsvpcConfiguration"]
    if len(set(subnets)) != 2 or placement["Subnets"] != subnets:
        yield f"balancer in {subnets}, tasks in {placement['Subnets']}"
    if placement.get("AssignPublicIp") != "ENABLED":
        yield "the tasks have no public address and, without NAT, no way out"
    if placement["SecurityGroups"] != ["<TaskSecurityGroup.GroupId>"]:
        yield "the tasks are not in their security group"
    networks = {group["VpcId"]}
    networks |= {each["VpcId"] for each in service.of_type(SECURITY_GROUP).values()}
    if len(networks) != 1:
        yield f"target group and security groups are in different networks: {sorted(networks)}"


def health_check_asks_readiness(deployment: Deployment) -> Iterator[str]:
    """/readyz says "draining"; it must be found out well before the delay of deregistration is over."""
    group = deployment.service.only(TARGET_GROUP)
    if (group.get("HealthCheckProtocol"), group.get("HealthCheckPath")) != ("HTTP", "/readyz"):
        yield "the balancer does not ask /readyz by HTTP"
    if group.get("Matcher") != {"HttpCode": "200"}:
        yield "only 200 means ready"
    interval, timeout = group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]
    if timeout >= interval:
        yield f"a health check waits {timeout} s and is made every {interval} s"
    if interval * group["UnhealthyThresholdCount"] > 30:
        yield "a draining task is found out after more than 30 s"


def new_network_reaches_the_internet(deployment: Deployment) -> Iterator[str]:
    """Where a network is made: two subnets in two zones, both routed, nothing before there is a way out."""
    service = deployment.service
    subnets = service.of_type("AWS::EC2::Subnet")
    if not service.of_type("AWS::EC2::VPC"):
        if subnets:
            yield "subnets without a VPC"
        return
    if len({subnet["AvailabilityZone"] for subnet in subnets.values()}) != 2:
        yield "the subnets are not in two zones"
    routed = service.of_type("AWS::EC2::SubnetRouteTableAssociation")
    if {row["SubnetId"] for row in routed.values()} != {f"<{name}>" for name in subnets}:
        yield "a subnet has no route"
    route = service.only("AWS::EC2::Route")
    if (route["DestinationCidrBlock"], route.get("GatewayId")) != ("0.0.0.0/0", "<InternetGateway>"):
        yield "the route does not lead to the internet"
    if service.resources["DefaultRoute"].get("DependsOn") != "GatewayAttachment":
        yield "the route may come before the gateway is attached"
    if any(service.resources[name].get("DependsOn") != "DefaultRoute" for name in subnets):
        yield "the balancer may come before there is a way to the internet"


def addresses_outlive_the_stack(deployment: Deployment) -> Iterator[str]:
    """The two addresses that DNS and other people's lists know are kept."""
    for name, resource in deployment.base.resources.items():
        if resource["Type"] == "AWS::EC2::EIP" and (
            (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("Retain", "Retain")
        ):
            yield f"{name} goes with the stack"


def descriptions_are_accepted_by_ec2(deployment: Deployment) -> Iterator[str]:
    """EC2 refuses descriptions outside a part of ASCII, and only at the deployment."""
    rules = list(deployment.service.of_type(INGRESS).values())
    for group in deployment.service.of_type(SECURITY_GROUP).values():
        rules += [*group.get("SecurityGroupIngress", []), *group.get("SecurityGroupEgress", [])]
        if not _RULE_TEXT.fullmatch(group["GroupDescription"]):
            yield f"EC2 does not take the description {group['GroupDescription']!r}"
    for rule in rules:
        if not _RULE_TEXT.fullmatch(rule.get("Description", "")):
            yield f"EC2 does not take the description {rule.get('Description')!r}"


CHECKS = (
    ports_agree,
    tasks_send_nothing_but_what_they_need,
    attribute_keys_are_known,
    silence_is_waited_out,
    balancer_shows_the_client,
    health_check_asks_readiness,
    new_network_reaches_the_internet,
    addresses_outlive_the_stack,
    descriptions_are_accepted_by_ec2,
)
