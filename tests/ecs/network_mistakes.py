"""Mistakes on the way from the internet to a task."""

from __future__ import annotations

from tests.ecs.mutations import (
    BALANCER,
    GROUP,
    LISTENER,
    Mutation,
    add,
    attribute,
    base,
    drop,
    imported,
    put,
    service,
    variable,
)

MISTAKES: tuple[Mutation, ...] = (
    service("stop timeout beyond Fargate's", put("GATEWAY/StopTimeout", 300)),
    service(
        "listener attribute misspelt",
        attribute(LISTENER, "tcp.idle_timeout.seconds", new="tcp.idle_timeout_seconds"),
    ),
    service("client address not preserved", attribute(GROUP, "preserve_client_ip.enabled", "false")),
    service(
        "client address left to the default",
        attribute(GROUP, "preserve_client_ip.enabled", new="preserve_client_ip"),
    ),
    service("PROXY header before health checks", attribute(GROUP, "proxy_protocol_v2.enabled", "true")),
    service(
        "connections cut while draining",
        attribute(GROUP, "deregistration_delay.connection_termination.enabled", "true"),
    ),
    service(
        "deregistration shorter than draining", attribute(GROUP, "deregistration_delay.timeout_seconds", "60")
    ),
    service("no cross-zone balancing", attribute(BALANCER, "load_balancing.cross_zone.enabled", "false")),
    service("idle timeout below a command's", attribute(LISTENER, "tcp.idle_timeout.seconds", "240")),
    service("idle timeout below the relay's", variable("GATEWAY", "MXGW_RELAY_SECONDS", "400")),
    service("listener at 2525", put("Listener/Port", 2525)),
    service("target group at another port", put("TargetGroup/Port", 25)),
    service("health asked at the mail port", put("TargetGroup/HealthCheckPort", "8025")),
    service("health asked at the traffic port", put("TargetGroup/HealthCheckPort", "traffic-port")),
    service("container maps another port", put("GATEWAY/PortMappings/0/ContainerPort", 2525)),
    service("program listens elsewhere", variable("GATEWAY", "MXGW_LISTEN", "0.0.0.0:2525")),
    service("program binds a low port", variable("GATEWAY", "MXGW_LISTEN", "0.0.0.0:25")),
    service("service registers the health port", put("Service/LoadBalancers/0/ContainerPort", 8080)),
    service("tasks let in another port", put("TaskSmtpIngress/FromPort", 25)),
    service("tasks let in the world", put("TaskHealthIngress/CidrIp", "0.0.0.0/0")),
    service("balancer lets in all ports", put("BalancerSecurityGroup/SecurityGroupIngress/0/ToPort", 65535)),
    service("balancer cannot reach health", drop("BalancerSecurityGroup/SecurityGroupEgress/1")),
    service(
        "tasks may send mail to the world",
        add(
            "TaskSecurityGroup/SecurityGroupEgress",
            {"IpProtocol": "tcp", "FromPort": 25, "ToPort": 25, "CidrIp": "0.0.0.0/0"},
        ),
    ),
    service("tasks may send anything", drop("TaskSecurityGroup/SecurityGroupEgress")),
    service("balancer without a security group", drop("LoadBalancer/SecurityGroups")),
    service("balancer takes IPv6", put("LoadBalancer/IpAddressType", "dualstack")),
    service("application load balancer", put("LoadBalancer/Type", "application")),
    service("balancer within the VPC only", put("LoadBalancer/Scheme", "internal")),
    service("TLS ends at the balancer", put("Listener/Protocol", "TLS")),
    service(
        "one address for both zones",
        put("LoadBalancer/SubnetMappings/1/AllocationId", imported("MxAllocationA")),
    ),
    service("tasks in one zone", drop("Service/NetworkConfiguration/AwsvpcConfiguration/Subnets/1")),
    service(
        "tasks without a way out",
        put("Service/NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp", "DISABLED"),
    ),
    service("health depends on home", put("TargetGroup/HealthCheckPath", "/status")),
    service("health by TCP alone", put("TargetGroup/HealthCheckProtocol", "TCP")),
    service(
        "both subnets in one zone", put("SubnetB/AvailabilityZone", {"Fn::Select": [0, {"Fn::GetAZs": ""}]})
    ),
    service("subnet without a route", drop("SubnetBRoutes")),
    service("balancer before the internet", drop("SubnetA/DependsOn")),
    service("description EC2 refuses", put("TaskSecurityGroup/GroupDescription", "balancer \u2192 tasks")),
    base("addresses go with the stack", put("MxAddressB/DeletionPolicy", "Delete")),
)
