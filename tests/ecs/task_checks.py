"""Checks of what runs: the containers, their limits, settings and secrets, the service and its scaling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mxgw.config import SETTINGS, Role, load
from tests.ecs.deployment import Deployment, attributes, environment, secrets_of
from tests.ecs.network_checks import TARGET_GROUP, default_settings
from tests.ecs.template_reading import Json, walk

MAX_STOP_SECONDS = 120
"""Fargate's most; more is refused when the task definition is registered."""

FARGATE_MEMORY = {"256": {"512", "1024", "2048"}}
"""MiB that go with CPU units; a quarter of a core is what one task has here."""

TLS_SESSION_OCTETS = 48 * 1024
"""An idle session under TLS, measured with uvloop's start_tls: 45 to 47 kB."""

PROGRAM_OCTETS = 96 * 1024 * 1024
"""The program without sessions: 50 MB resident under load, doubled for what is not foreseen."""

TLS_REFERENCES = {
    "MXGW_TLS_CERT": "secret:<base:TlsSecret>#certificate",
    "MXGW_TLS_KEY": "secret:<base:TlsSecret>#key",
}
"""Where the certificate is: a name, which is no secret, so it may stand in the plain environment."""

TLS_SECRET_ARN = "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:TlsSecret-AbCdEf"

PEM = "-----BEGIN CERTIFICATE-----\nnot looked at here\n-----END CERTIFICATE-----\n"

SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CERT|CREDENTIAL")
EXACT_VERSION = re.compile(r".+(:v?\d+\.\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})")


def sizes_fit(deployment: Deployment) -> Iterator[str]:
    """CPU and memory are a pair of Fargate's, and the containers share them without touching each other."""
    task = deployment.task
    if task["Memory"] not in FARGATE_MEMORY.get(task["Cpu"], set()):
        yield f"Fargate has no task of {task['Cpu']} CPU units with {task['Memory']} MiB"
    hard = {name: container.get("Memory", 0) for name, container in deployment.containers.items()}
    if 0 in hard.values():
        yield f"a container has no memory limit of its own: {hard}"
    if sum(hard.values()) > int(task["Memory"]):
        yield f"the containers may take {hard} MiB of {task['Memory']}"
    soft = environment(deployment.tailscale).get("GOMEMLIMIT", "")
    if not re.fullmatch(r"\d+MiB", soft) or int(soft.removesuffix("MiB")) * 4 > hard["tailscale"] * 3:
        yield f"Go collects at {soft or 'no limit'}, the sidecar is killed at {hard['tailscale']} MiB"


def sessions_fit_into_memory(deployment: Deployment) -> Iterator[str]:
    """All sessions at their limits at once stay within the container's memory."""
    settings = environment(deployment.mxgw)
    defaults = default_settings()
    sessions = int(settings.get("MXGW_MAX_SESSIONS", defaults.max_sessions))
    content = int(settings.get("MXGW_SPOOL_MEMORY_OCTETS", defaults.spool_memory_octets))
    needed = PROGRAM_OCTETS + sessions * (content + TLS_SESSION_OCTETS)
    if needed > deployment.mxgw["Memory"] * 1024 * 1024:
        yield f"{sessions} sessions need {needed >> 20} MiB of {deployment.mxgw['Memory']}"


def there_is_time_to_finish(deployment: Deployment) -> Iterator[str]:
    """Draining ends before the kill; the sidecar, which carries the mail, outlives the gateway."""
    for name, container in deployment.containers.items():
        seconds = container.get("StopTimeout")
        if seconds is None or not 0 < seconds <= MAX_STOP_SECONDS:
            yield f"{name}: a stop timeout of {seconds} s is not possible on Fargate"
    stop = deployment.mxgw.get("StopTimeout") or 0
    drain = float(environment(deployment.mxgw).get("MXGW_DRAIN_SECONDS", default_settings().drain_seconds))
    if drain > stop - 5:
        yield f"messages get {drain:g} s to finish, the task is killed after {stop} s"
    group = attributes(deployment.service.only(TARGET_GROUP).get("TargetGroupAttributes", []))
    if float(group.get("deregistration_delay.timeout_seconds", 300)) < drain:
        yield "the balancer lets go of a task before its messages are finished"
    needed = {entry["ContainerName"]: entry["Condition"] for entry in deployment.mxgw.get("DependsOn", [])}
    if needed != {"tailscale": "HEALTHY"}:
        yield f"the gateway waits for {needed}, not for a healthy tailscale"


def containers_have_no_privileges(deployment: Deployment) -> Iterator[str]:
    """Not root, no capabilities, and the gateway writes nowhere but into its spool."""
    for name, container in deployment.containers.items():
        user = str(container.get("User", "root"))
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user):
            yield f"{name} runs as {user}"
        if container.get("Privileged"):
            yield f"{name} is privileged"
        linux = container.get("LinuxParameters", {})
        if linux.get("Capabilities") != {"Drop": ["ALL"]}:
            yield f"{name} keeps capabilities"
        if linux.get("InitProcessEnabled") is not True:
            yield f"{name} keeps its orphans: its process 1 does not collect them"
        if container.get("Essential") is not True:
            yield f"{name} may end without the task being replaced"
    if deployment.mxgw.get("ReadonlyRootFilesystem") is not True:
        yield "the gateway's root file system can be written to"
    spool = environment(deployment.mxgw).get("MXGW_SPOOL_DIR")
    mounts = deployment.mxgw.get("MountPoints", [])
    if [(mount["ContainerPath"], mount.get("ReadOnly", False)) for mount in mounts] != [(spool, False)]:
        yield f"the spool is at {spool}, mounted is {mounts}"
    volumes = deployment.task.get("Volumes", [])
    if [{"Name": mount["SourceVolume"]} for mount in mounts] != volumes:
        yield f"mounted are {mounts}, volumes are {volumes}"


def sidecar_is_a_userspace_node(deployment: Deployment) -> Iterator[str]:
    """No TUN device, no state on disk, a proxy that only this task reaches, tags, an exact version."""
    sidecar = environment(deployment.tailscale)
    wanted = {"TS_USERSPACE": "true", "TS_AUTH_ONCE": "true", "TS_ENABLE_HEALTH_CHECK": "true"}
    for name, value in wanted.items():
        if sidecar.get(name) != value:
            yield f"{name} is {sidecar.get(name)}, not {value}"
    if "TS_STATE_DIR" in sidecar:
        yield "TS_STATE_DIR is set: the node would not be ephemeral"
    proxy, used = sidecar.get("TS_SOCKS5_SERVER", ""), environment(deployment.mxgw).get("MXGW_SOCKS5")
    if not proxy.startswith("127.0.0.1:") or used != proxy:
        yield f"the sidecar's proxy is {proxy}, the gateway's {used}"
    if "--advertise-tags=tag:" not in sidecar.get("TS_EXTRA_ARGS", ""):
        yield "the node has no tag: an OAuth client can make tagged nodes only"
    health = sidecar.get("TS_LOCAL_ADDR_PORT", "")
    probe = " ".join(deployment.tailscale.get("HealthCheck", {}).get("Command", []))
    if not health.startswith("127.0.0.1:") or f"http://{health}/healthz" not in probe:
        yield f"the sidecar's health is at {health}, asked is: {probe}"
    if deployment.tailscale.get("ReadonlyRootFilesystem") or deployment.tailscale.get("MountPoints"):
        yield "the sidecar needs /tmp of its image"
    for name, container in deployment.containers.items():
        if not EXACT_VERSION.fullmatch(container["Image"]):
            yield f"{name}: {container['Image']} is not an exact version"


def health_commands_are_bounded(deployment: Deployment) -> Iterator[str]:
    """Within what ECS allows, and about the process, not about home or about being drained."""
    for name, container in deployment.containers.items():
        check = container.get("HealthCheck")
        if not check or check["Command"][0] not in {"CMD", "CMD-SHELL"}:
            yield f"{name} has no health check"
            continue
        bounds = {"Interval": (5, 300), "Timeout": (2, 60), "Retries": (1, 10), "StartPeriod": (0, 300)}
        for key, (low, high) in bounds.items():
            if not low <= check.get(key, low) <= high:
                yield f"{name}: health check {key} {check[key]} is not within {low} and {high}"
        if check["Timeout"] >= check["Interval"]:
            yield f"{name}: a health check outlasts its interval"
    if "/livez" not in " ".join(deployment.mxgw.get("HealthCheck", {}).get("Command", [])):
        yield "the gateway's container is not judged by /livez: a draining task would be killed"


def secrets_stay_secret(deployment: Deployment) -> Iterator[str]:
    """What is secret comes from Secrets Manager at the start, and stands in no environment or template."""
    for name, container in deployment.containers.items():
        for variable, value in environment(container).items():
            if value == TLS_REFERENCES.get(variable):
                continue
            if SECRET_NAME.search(variable) or re.search(r"\{\{resolve:|<base:\w*Secret", str(value)):
                yield f"{name}: {variable} is in the plain environment"
    found = {name: secrets_of(container) for name, container in deployment.containers.items()}
    if set(found["mxgw"]) != {"MXGW_SEAL_KEY"}:
        yield f"the gateway's secrets are {sorted(found['mxgw'])}"
    if set(found["tailscale"]) != {"TS_AUTHKEY"}:
        yield f"the sidecar's secrets are {sorted(found['tailscale'])}"
    expected = {
        "MXGW_SEAL_KEY": "<base:SealKeySecret>",
        "TS_AUTHKEY": "<base:TailscaleSecret>",
    }
    for variables in found.values():
        for variable, source in variables.items():
            if source != expected.get(variable):
                yield f"{variable} comes from {source}"
    for name, secret in deployment.base.of_type("AWS::SecretsManager::Secret").items():
        if "SecretString" in secret:
            yield f"{name} has its value in the template"
    for path, value in walk(deployment.templates):
        if isinstance(value, str) and ("PRIVATE KEY" in value or re.search(r"tskey-[a-z]+-\w", value)):
            yield f"{'/'.join(path)} holds a key"


def certificate_is_read_by_the_program(deployment: Deployment) -> Iterator[str]:
    """By name, both halves out of one secret: what ECS hands over at the start would never be renewed."""
    told = {name: value for name, value in environment(deployment.mxgw).items() if name in TLS_REFERENCES}
    wanted = "CertificateAlarm" in deployment.service.resources
    if told != (TLS_REFERENCES if wanted else {}):
        yield f"the certificate comes from {told}"


def settings_are_understood(deployment: Deployment) -> Iterator[str]:
    """The program takes every setting, and its value."""
    settings = environment(deployment.mxgw)
    known = {setting.variable for setting in SETTINGS}
    for variable in [*settings, *secrets_of(deployment.mxgw)]:
        if variable not in known:
            yield f"the program knows no {variable}"
    tried = dict(settings)
    # Neither parameter store nor spool directory are here.
    tried |= {"MXGW_DOMAINS": "example.jp", "MXGW_SPOOL_DIR": "/"}
    for variable in TLS_REFERENCES.keys() & tried.keys():
        tried[variable] = tried[variable].replace("<base:TlsSecret>", TLS_SECRET_ARN)
    outcome = load(tried, role=Role.EDGE, fetch=lambda _: PEM)
    if isinstance(outcome, list):
        yield from map(str, outcome)
    if settings.get("MXGW_DOMAINS") != "ssm:<base:DomainsParameter>":
        yield f"the domains come from {settings.get('MXGW_DOMAINS')}"
    if settings.get("MXGW_LOG") != "json":
        yield "CloudWatch finds metrics and fields in JSON only"
    if settings.get("MXGW_PROXY_FROM"):
        yield "the balancer sends no PROXY header"


def logs_are_kept_and_bounded(deployment: Deployment) -> Iterator[str]:
    """To groups that exist, without ever holding the mail up, with a buffer of a known size."""
    for name, container in deployment.containers.items():
        log = container.get("LogConfiguration", {})
        options = log.get("Options", {})
        group = {"mxgw": "<base:GatewayLogGroup>", "tailscale": "<base:TailscaleLogGroup>"}[name]
        if (log.get("LogDriver"), options.get("awslogs-group")) != ("awslogs", group):
            yield f"{name} does not log to {group}"
        if options.get("mode") != "non-blocking" or not re.fullmatch(
            r"\d+[km]", str(options.get("max-buffer-size"))
        ):
            yield f"{name}: mode or buffer of the log is left to the account"
        if "awslogs-create-group" in options:
            yield f"{name} makes a log group that is kept for ever"
    for name, group in deployment.both("AWS::Logs::LogGroup").items():
        if group.get("RetentionInDays") != 30:
            yield f"{name} is kept for {group.get('RetentionInDays', 'ever')}, not for 30 days"


def service_is_replaced_without_a_gap(deployment: Deployment) -> Iterator[str]:
    """Rolling, rolled back when it fails, never with a count that undoes the scaling."""
    service = deployment.ecs_service
    if "DesiredCount" in service:
        yield "DesiredCount is set: each update would undo the scaling"
    rollout = service.get("DeploymentConfiguration", {})
    if (rollout.get("MinimumHealthyPercent"), rollout.get("MaximumPercent")) != (100, 200):
        yield "a deployment stops tasks before others are ready"
    if rollout.get("DeploymentCircuitBreaker") != {"Enable": True, "Rollback": True}:
        yield "a deployment that fails is not rolled back"
    starts = [container["HealthCheck"].get("StartPeriod", 0) for container in deployment.containers.values()]
    if service.get("HealthCheckGracePeriodSeconds", 0) < sum(starts):
        yield "the balancer's judgement counts before the containers have started"
    if service.get("LaunchType") != "FARGATE" or "FARGATE" not in deployment.task["RequiresCompatibilities"]:
        yield "not on Fargate"
    if service.get("EnableExecuteCommand"):
        yield "a shell in the task is open"
    needed = deployment.service.resources["Service"].get("DependsOn")
    if needed != "Listener":
        yield "the service may come before its target group has a listener"


def scaling_is_bounded(deployment: Deployment) -> Iterator[str]:
    """1 to 5 tasks, by CPU and by sessions, quick out and slow in."""
    target = deployment.service.only("AWS::ApplicationAutoScaling::ScalableTarget")
    expected = ("ecs", "ecs:service:DesiredCount", "service/<Cluster>/<Service.Name>")
    found = (target["ServiceNamespace"], target["ScalableDimension"], target["ResourceId"])
    if found != expected:
        yield f"scaling is of {found}"
    parameters = deployment.templates["service"]["Parameters"]
    for name in ("MinTasks", "MaxTasks"):
        if (parameters[name].get("MinValue"), parameters[name].get("MaxValue")) != (1, 5):
            yield f"{name} is not bounded by 1 and 5"
    if (parameters["MinTasks"]["Default"], parameters["MaxTasks"]["Default"]) != (1, 5):
        yield "by default there are not 1 to 5 tasks"
    if (target["MaxCapacity"], int(target["MinCapacity"]) >= 1) != (5, True):
        yield f"{target['MinCapacity']} to {target['MaxCapacity']} tasks"
    kinds = set()
    for name, policy in deployment.service.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").items():
        tracking: Json = policy["TargetTrackingScalingPolicyConfiguration"]
        kinds |= set(tracking) & {"PredefinedMetricSpecification", "CustomizedMetricSpecification"}
        if policy["ScalingTargetId"] != "<ScalableTarget>" or tracking.get("DisableScaleIn"):
            yield f"{name} does not scale the service out and in"
        if not 0 < tracking["ScaleOutCooldown"] <= 120 or tracking["ScaleInCooldown"] < 300:
            yield f"{name} scales out slowly or in hastily"
    if len(kinds) != 2:
        yield f"scaling is by {kinds}: CPU and sessions are needed"


CHECKS = (
    sizes_fit,
    sessions_fit_into_memory,
    there_is_time_to_finish,
    containers_have_no_privileges,
    sidecar_is_a_userspace_node,
    health_commands_are_bounded,
    secrets_stay_secret,
    certificate_is_read_by_the_program,
    settings_are_understood,
    logs_are_kept_and_bounded,
    service_is_replaced_without_a_gap,
    scaling_is_bounded,
)
