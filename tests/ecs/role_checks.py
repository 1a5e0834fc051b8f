"""Checks of who may do what: roles name their resources, grant what is needed, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.ecs.deployment import BASE_STACK, Deployment, has_certificate, secrets_of
from tests.ecs.template_reading import Json

ROLE = "AWS::IAM::Role"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"

WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken"}
"""Actions for which AWS knows no resource: they alone may stand with "*"."""

_IAM_TEXT = re.compile(r"[\t\n\r -~\u00a1-\u00ff]{1,1000}")
"""What IAM takes as the description of a role or a policy."""


def nothing_is_granted_in_whole(deployment: Deployment) -> Iterator[str]:
    """No wildcard where AWS allows naming, no managed policies of others, no negations."""
    for name, statement in _statements(deployment):
        actions, resources = _listed(statement.get("Action")), _listed(statement.get("Resource"))
        if not actions or not resources or statement.get("Effect") != "Allow":
            yield f"{name}: {statement} names not both actions and resources"
        if any("*" in action for action in actions):
            yield f"{name} may do {actions}"
        stars = [resource for resource in resources if "*" in str(resource)]
        if stars and (stars != ["*"] or not set(actions) <= WITHOUT_RESOURCE):
            yield f"{name} may {actions} on {stars}"
    for name, role in deployment.both(ROLE).items():
        if role.get("ManagedPolicyArns"):
            yield f"{name} has policies that others write: {role['ManagedPolicyArns']}"


def each_role_has_what_it_needs(deployment: Deployment) -> Iterator[str]:
    """Exactly: less fails at the start, more is for an intruder."""
    arn = "arn:aws:ssm:ap-northeast-1:111122223333:parameter<base:DomainsParameter>"
    secrets = {f"<base:{name}>" for name in ("TailscaleSecret", "SealKeySecret")}
    logs = {f"<base:{name}.Arn>" for name in ("GatewayLogGroup", "TailscaleLogGroup")}
    expected: dict[str, dict[str, set[str]]] = {
        "ExecutionRole": {
            "ecr:GetAuthorizationToken": {"*"},
            "ecr:BatchCheckLayerAvailability": {"<base:Repository.Arn>"},
            "ecr:BatchGetImage": {"<base:Repository.Arn>"},
            "ecr:GetDownloadUrlForLayer": {"<base:Repository.Arn>"},
            "logs:CreateLogStream": logs,
            "logs:PutLogEvents": logs,
            "secretsmanager:GetSecretValue": secrets,
        },
        "TaskRole": {
            "ssm:GetParameter": {arn},
            **(
                {"secretsmanager:GetSecretValue": {"<base:TlsSecret>"}} if has_certificate(deployment) else {}
            ),
        },
        "ChatRole": {
            "logs:CreateLogStream": {"<base:ChatLogGroup.Arn>"},
            "logs:PutLogEvents": {"<base:ChatLogGroup.Arn>"},
            "secretsmanager:GetSecretValue": {"<base:ChatSecret>"},
        },
        # No right to restart anything: the tasks look for a new certificate themselves.
        "CertificatePusherPolicy": {"secretsmanager:PutSecretValue": {"<base:TlsSecret>"}},
    }
    granted: dict[str, dict[str, set[str]]] = {}
    for name, statement in _statements(deployment):
        for action in _listed(statement.get("Action")):
            resources = set(map(str, _listed(statement.get("Resource"))))
            granted.setdefault(name, {}).setdefault(action, set()).update(resources)
    for name, grants in granted.items():
        if grants != expected.get(name):
            yield f"{name} may {grants}, needed is {expected.get(name)}"
    used = set(_secret_sources(deployment))
    if not used <= granted.get("ExecutionRole", {}).get("secretsmanager:GetSecretValue", set()):
        yield f"the execution role may not read all of {sorted(used)}"
    task = deployment.task
    roles = (task.get("ExecutionRoleArn"), task.get("TaskRoleArn"))
    if roles != ("<ExecutionRole.Arn>", "<TaskRole.Arn>"):
        yield f"the task has the roles {roles}"


def roles_are_taken_on_by_their_service_only(deployment: Deployment) -> Iterator[str]:
    """ECS for tasks of this account (no confused deputy), Lambda for the function."""
    services = {"ExecutionRole": "ecs-tasks", "TaskRole": "ecs-tasks", "ChatRole": "lambda"}
    for name, role in deployment.both(ROLE).items():
        statements = role["AssumeRolePolicyDocument"]["Statement"]
        principals = [statement["Principal"] for statement in statements]
        if principals != [{"Service": f"{services.get(name)}.amazonaws.com"}]:
            yield f"{name} may be taken on by {principals}"
        if services.get(name) == "ecs-tasks":
            condition = statements[0].get("Condition", {})
            account = condition.get("StringEquals", {}).get("aws:SourceAccount")
            source = condition.get("ArnLike", {}).get("aws:SourceArn")
            if (account, source) != ("111122223333", "arn:aws:ecs:ap-northeast-1:111122223333:*"):
                yield f"{name} may be taken on for tasks of others"
        if not _IAM_TEXT.fullmatch(role.get("Description", "-")):
            yield f"IAM does not take the description of {name}"


def events_reach_their_log(deployment: Deployment) -> Iterator[str]:
    """EventBridge writes to /aws/events/ alone, and only where the log's own policy lets it."""
    group = deployment.base.of_type("AWS::Logs::LogGroup")["TaskStopLogGroup"]
    if not group["LogGroupName"].startswith(f"/aws/events/{BASE_STACK}/"):
        yield f"EventBridge cannot write to {group['LogGroupName']}"
    document: Json = json.loads(deployment.service.only("AWS::Logs::ResourcePolicy")["PolicyDocument"])
    granted = {statement["Action"]: statement for statement in document["Statement"]}
    if set(granted) != {"logs:CreateLogStream", "logs:PutLogEvents"}:
        yield f"EventBridge may {sorted(granted)}"
    for action, statement in granted.items():
        if statement["Resource"] != "<base:TaskStopLogGroup.Arn>":
            yield f"EventBridge may {action} in {statement['Resource']}"
        if set(statement["Principal"]["Service"]) != {"events.amazonaws.com", "delivery.logs.amazonaws.com"}:
            yield f"EventBridge may not {action}"
    # Which rule writes is known when it writes, not when the stream is opened.
    if "Condition" in granted["logs:CreateLogStream"]:
        yield "EventBridge may not open its streams"
    if granted["logs:PutLogEvents"].get("Condition") != {
        "ArnEquals": {"aws:SourceArn": "<TaskStopRule.Arn>"}
    }:
        yield "other rules may write to the log, or ours may not"


def chat_function_is_called_by_the_topic_only(deployment: Deployment) -> Iterator[str]:
    """Nobody else may make it speak."""
    for name, permission in deployment.base.of_type("AWS::Lambda::Permission").items():
        if (permission["Principal"], permission.get("SourceArn")) != (
            "sns.amazonaws.com",
            "<base:AlarmTopic>",
        ):
            yield f"{name} lets {permission['Principal']} in from {permission.get('SourceArn')}"


def _statements(deployment: Deployment) -> Iterator[tuple[str, Json]]:
    for name, role in deployment.both(ROLE).items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for name, policy in deployment.both(MANAGED_POLICY).items():
        for statement in policy["PolicyDocument"]["Statement"]:
            yield name, statement


def _secret_sources(deployment: Deployment) -> Iterator[str]:
    for container in deployment.containers.values():
        yield from secrets_of(container).values()


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


CHECKS = (
    nothing_is_granted_in_whole,
    each_role_has_what_it_needs,
    roles_are_taken_on_by_their_service_only,
    events_reach_their_log,
    chat_function_is_called_by_the_topic_only,
)
