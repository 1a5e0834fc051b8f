"""Checks of what wakes a person: alarms, their metrics and receivers, the dashboard, the record of stops."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.ecs.deployment import SERVICE_STACK, Deployment, has_certificate
from tests.ecs.template_reading import Json

ALARM = "AWS::CloudWatch::Alarm"
TOPIC = "<base:AlarmTopic>"
NAMESPACE = "mxgw"
STOPS = "task_stops"
REFUSALS = f"tailscale_refused_{SERVICE_STACK}"
"""Both made by metric filters, not written by the program; the second has no dimension but its name."""

REFUSAL_WORDS = (
    "failed to auth tailscale",
    "machine authorization required",
    "tailscaled left running state",
)
"""What the sidecar's first process says where the tailnet does not let it in, or puts it out."""

BELOW, ABOVE, REACHED = (
    "LessThanThreshold",
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
)

MAX_WATCHED_SECONDS = 7 * 86400
"""CloudWatch's bound of period times evaluation periods, where a period is an hour or longer; else a day."""

_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


@dataclass(frozen=True)
class Rule:
    """When an alarm rings: metric, statistic, comparison, how long, and what missing data means."""

    metric: str
    statistic: str
    comparison: str
    threshold: float
    periods: tuple[int, int]
    missing: str


RULES = {
    "NoHealthyTaskAlarm": Rule("HealthyHostCount", "Maximum", BELOW, 1, (3, 60), "breaching"),
    "HomeDownAlarm": Rule("mxgw_home_up", "Maximum", BELOW, 1, (5, 60), "breaching"),
    "HomeFailingAlarm": Rule("mxgw_recipients_total_unknown", "Sum", REACHED, 3, (2, 300), "notBreaching"),
    "NoMailAlarm": Rule("mxgw_transactions_total_accept", "Sum", BELOW, 1, (24, 3600), "breaching"),
    "CertificateAlarm": Rule("mxgw_certificate_days", "Minimum", BELOW, 14, (1, 3600), "breaching"),
    "MemoryAlarm": Rule("MemoryUtilization", "Maximum", ABOVE, 85, (3, 60), "missing"),
    "AddressHiddenAlarm": Rule("mxgw_sessions_hidden_total", "Sum", REACHED, 1, (1, 300), "notBreaching"),
    "LogLinesLostAlarm": Rule("mxgw_log_lines_lost_total", "Sum", REACHED, 1, (1, 300), "notBreaching"),
    "TaskRestartsAlarm": Rule(STOPS, "Sum", REACHED, 1, (1, 300), "notBreaching"),
    "TailscaleKeyAlarm": Rule(REFUSALS, "Sum", REACHED, 1, (1, 300), "notBreaching"),
    "ChatFailingAlarm": Rule("Errors", "Sum", REACHED, 1, (1, 300), "notBreaching"),
}

DIMENSIONS = {
    "HealthyHostCount": {
        "LoadBalancer": "<LoadBalancer.LoadBalancerFullName>",
        "TargetGroup": "<TargetGroup.TargetGroupFullName>",
    },
    "MemoryUtilization": {"ClusterName": "<Cluster>", "ServiceName": "<Service.Name>"},
    "CPUUtilization": {"ClusterName": "<Cluster>", "ServiceName": "<Service.Name>"},
    STOPS: {"Group": "service:<Service.Name>"},
    REFUSALS: {},
    "Errors": {"FunctionName": "<base:ChatNotifier>"},
}
"""What each metric is told apart by; those that the program writes, by the name of the service stack."""


def dimensions_of(metric: str) -> dict[str, str]:
    """The dimensions that a metric is written with."""
    return DIMENSIONS.get(metric, {"Service": SERVICE_STACK})


def every_alarm_reaches_a_person(deployment: Deployment) -> Iterator[str]:
    """Alarm and all-clear go to the topic, the topic to a mailbox, in words that say what to do."""
    for name, alarm in deployment.both(ALARM).items():
        if alarm.get("AlarmActions") != [TOPIC] or alarm.get("OKActions") != [TOPIC]:
            yield f"{name} tells nobody"
        if alarm.get("ActionsEnabled") is False:
            yield f"{name} is switched off"
        text = alarm.get("AlarmDescription", "")
        english, _, japanese = text.partition(" / ")
        if not english.isascii() or len(english) < 30 or not _JAPANESE.search(japanese):
            yield f"{name} is not described in English and Japanese"
        if len(text) > 1024:
            yield f"{name}: CloudWatch takes 1,024 characters"
        stack = deployment.base if name in deployment.base.resources else deployment.service
        if not alarm.get("AlarmName", "").startswith(f"{stack.name}-"):
            yield f"{name} has no name that a reader of the mail understands"
    subscribed = {
        (row["TopicArn"], row["Protocol"], row["Endpoint"])
        for row in deployment.base.of_type("AWS::SNS::Subscription").values()
    }
    if (TOPIC, "email", "admin@example.net") not in subscribed:
        yield "no mailbox is subscribed to the topic"
    if "ChatNotifier" in deployment.base.resources and (
        (TOPIC, "lambda", "<base:ChatNotifier.Arn>") not in subscribed
    ):
        yield "the chat is not subscribed to the topic"


def alarms_ring_when_they_should(deployment: Deployment) -> Iterator[str]:
    """Each of the alarms that are needed, as it is meant, and no other."""
    alarms = deployment.both(ALARM)
    absent = set()
    if deployment.service.resources["TaskDefinition"] and not has_certificate(deployment):
        absent.add("CertificateAlarm")
    if "ChatNotifier" not in deployment.base.resources:
        absent.add("ChatFailingAlarm")
    needed = (set(RULES) | {"DeferringAlarm"}) - absent
    if set(alarms) != needed:
        yield f"alarms missing: {sorted(needed - set(alarms))}, unknown: {sorted(set(alarms) - needed)}"
    for name, alarm in alarms.items():
        rule = RULES.get(name)
        if rule is None or "MetricName" not in alarm:
            continue
        count = int(alarm["EvaluationPeriods"])
        if name == "NoMailAlarm":
            count = rule.periods[0]
        found = Rule(
            alarm["MetricName"],
            alarm["Statistic"],
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            (count, alarm["Period"]),
            alarm.get("TreatMissingData", "missing"),
        )
        if found != rule or alarm.get("DatapointsToAlarm", count) != count:
            yield f"{name} rings for {found}, not for {rule}"
        watched = int(alarm["EvaluationPeriods"]) * alarm["Period"]
        if watched > (MAX_WATCHED_SECONDS if alarm["Period"] >= 3600 else 86400):
            yield f"{name} looks back over {watched} s; CloudWatch does not"
        dimensions = {row["Name"]: row["Value"] for row in alarm.get("Dimensions", [])}
        if dimensions != dimensions_of(alarm["MetricName"]):
            yield f"{name} looks at {dimensions}, written is {dimensions_of(alarm['MetricName'])}"


def no_mail_is_noticed_in_time(deployment: Deployment) -> Iterator[str]:
    """After as many hours as the administrator says."""
    hours = deployment.templates["service"]["Parameters"]["NoMailHours"]
    if hours["MaxValue"] * 3600 > MAX_WATCHED_SECONDS or hours["MinValue"] < 1:
        yield "NoMailHours goes beyond what CloudWatch watches"
    alarm = deployment.templates["service"]["Resources"]["NoMailAlarm"]["Properties"]
    if alarm.get("EvaluationPeriods") != {"Ref": "NoMailHours"} or alarm.get("Period") != 3600:
        yield "the silence that is allowed is not NoMailHours"


def a_share_needs_a_number(deployment: Deployment) -> Iterator[str]:
    """Deferred messages: a share above a fifth, of at least five, in two of three periods."""
    alarm = deployment.service.of_type(ALARM).get("DeferringAlarm")
    if alarm is None:
        return
    metrics = {row["Id"]: row for row in alarm["Metrics"]}
    sources = {
        name: (row["MetricStat"]["Metric"]["MetricName"], row["MetricStat"]["Stat"])
        for name, row in metrics.items()
        if "MetricStat" in row
    }
    if sources != {
        "deferred": ("mxgw_transactions_total_defer", "Sum"),
        "accepted": ("mxgw_transactions_total_accept", "Sum"),
    }:
        yield f"the share is of {sources}"
    for row in metrics.values():
        metric = row.get("MetricStat", {}).get("Metric", {})
        dimensions = {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions", [])}
        if metric and dimensions != dimensions_of(metric["MetricName"]):
            yield f"the share looks at {dimensions}"
    expression = metrics.get("share", {}).get("Expression", "")
    if _evaluate(expression, deferred=3, accepted=1) != 0 or _evaluate(expression, 1, 4) != 20:
        yield f"{expression} is no share, or one of too few"
    returned = [name for name, row in metrics.items() if row.get("ReturnData")]
    if returned != ["share"]:
        yield f"the alarm looks at {returned}"
    judged = (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"])
    if judged != (20, ABOVE, "notBreaching"):
        yield f"deferring is judged by {judged}"
    if (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) != (2, 3):
        yield "deferring rings for less or more than two of three periods"


_SHARE = re.compile(r"IF\((?P<test>[^,]+), (?P<yes>[^,]+), (?P<no>[^,]+)\)")
_ARITHMETIC = re.compile(r"[a-z0-9 +*/()>=<]+")


def _evaluate(expression: str, deferred: float, accepted: float) -> float | None:
    """What CloudWatch would make of IF(test, yes, no) over plain arithmetic; None if it is something else."""
    match = _SHARE.fullmatch(expression)
    if match is None or not all(_ARITHMETIC.fullmatch(part) for part in match.groups()):
        return None
    values = {"deferred": deferred, "accepted": accepted, "__builtins__": {}}
    # Arithmetic of two names, checked above: the template's own text, not a stranger's.
    test, yes, no = (eval(part, values) for part in match.groups())  # noqa: S307
    return float(yes if test else no)


def metrics_written_by_the_program(deployment: Deployment) -> set[str]:
    """Every metric of ours that alarms, dashboard and scaling use, but for what is counted in logs."""
    found = {metric for metric, _ in _dashboard_metrics(deployment)[NAMESPACE]}
    for alarm in deployment.service.of_type(ALARM).values():
        if alarm.get("Namespace") == NAMESPACE:
            found.add(alarm["MetricName"])
        for row in alarm.get("Metrics", []):
            metric = row.get("MetricStat", {}).get("Metric", {})
            if metric.get("Namespace") == NAMESPACE:
                found.add(metric["MetricName"])
    for policy in deployment.service.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").values():
        metric = policy["TargetTrackingScalingPolicyConfiguration"].get("CustomizedMetricSpecification")
        if metric:
            found.add(metric["MetricName"])
    return found - {STOPS, REFUSALS}


def scaling_looks_at_what_is_written(deployment: Deployment) -> Iterator[str]:
    """The policy by sessions: the mean of what every task writes."""
    for name, policy in deployment.service.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").items():
        metric = policy["TargetTrackingScalingPolicyConfiguration"].get("CustomizedMetricSpecification")
        if metric is None:
            continue
        dimensions = {row["Name"]: row["Value"] for row in metric.get("Dimensions", [])}
        found = (metric["Namespace"], metric["MetricName"], metric["Statistic"], dimensions)
        if found != (NAMESPACE, "mxgw_sessions_open", "Average", dimensions_of("mxgw_sessions_open")):
            yield f"{name} looks at {found}"
    emf = [row["Value"] for row in deployment.mxgw["Environment"] if row["Name"] == "MXGW_EMF_SERVICE"]
    if emf != [SERVICE_STACK]:
        yield f"the program writes its metrics for {emf}"


def dashboard_shows_what_there_is(deployment: Deployment) -> Iterator[str]:
    """It is JSON, has every alarm of the service, and no metric that nobody writes."""
    try:
        body = _dashboard(deployment)
    except ValueError as error:
        yield f"the dashboard is no JSON: {error}"
        return
    prefix = "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:"
    shown = {arn for widget in body["widgets"] for arn in widget["properties"].get("alarms", [])}
    alarms = {prefix + alarm["AlarmName"] for alarm in deployment.service.of_type(ALARM).values()}
    if shown != alarms:
        yield f"alarms not shown: {sorted(alarms - shown)}, shown in vain: {sorted(shown - alarms)}"
    for metrics in _dashboard_metrics(deployment).values():
        for metric, dimensions in metrics:
            if dimensions != dimensions_of(metric):
                yield f"the dashboard asks for {metric} with {dimensions}"
    for widget in body["widgets"]:
        if widget["x"] + widget["width"] > 24:
            yield "a widget is off the dashboard"


def _dashboard(deployment: Deployment) -> Json:
    return dict(json.loads(deployment.service.only("AWS::CloudWatch::Dashboard")["DashboardBody"]))


def _dashboard_metrics(deployment: Deployment) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {NAMESPACE: []}
    for widget in _dashboard(deployment)["widgets"]:
        for row in widget["properties"].get("metrics", []):
            words = [word for word in row if isinstance(word, str)]
            namespace, metric, *pairs = words
            dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
            found.setdefault(namespace, []).append((metric, dimensions))
    return found


def stops_are_recorded_and_counted(deployment: Deployment) -> Iterator[str]:
    """EventBridge writes each unasked stop of our tasks to the log, the filter counts them for the alarm."""
    rule = deployment.service.only("AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]
    if (rule["EventPattern"]["source"], rule["EventPattern"]["detail-type"]) != (
        ["aws.ecs"],
        ["ECS Task State Change"],
    ):
        yield "the rule looks at other events"
    if (detail["clusterArn"], detail["group"], detail["lastStatus"]) != (
        ["<Cluster.Arn>"],
        ["service:<Service.Name>"],
        ["STOPPED"],
    ):
        yield "the rule looks at other tasks"
    reasons = {key: value for choice in detail.get("$or", []) for key, value in choice.items()}
    if not {"EssentialContainerExited", "TaskFailedToStart"} <= set(reasons.get("stopCode", [])):
        yield "tasks that fail are passed over"
    if {"wildcard": "*health checks*"} not in reasons.get("stoppedReason", []):
        yield "tasks of bad health are passed over"
    if set(reasons.get("stopCode", [])) & {"ServiceSchedulerInitiated", "UserInitiated"}:
        yield "deployments and scaling would ring"
    targets = [target["Arn"] for target in rule["Targets"]]
    if targets != ["arn:aws:logs:ap-northeast-1:111122223333:log-group:<base:TaskStopLogGroup>"]:
        yield f"the rule writes to {targets}"
    counter = deployment.service.of_type("AWS::Logs::MetricFilter")["TaskStopMetric"]
    (made,) = counter["MetricTransformations"]
    if (made["MetricNamespace"], made["MetricName"], made["MetricValue"]) != (NAMESPACE, STOPS, "1"):
        yield f"stops are counted as {made}"
    if made.get("Dimensions") != [{"Key": "Group", "Value": "$.detail.group"}] or "DefaultValue" in made:
        # CloudWatch refuses a default value where there are dimensions.
        yield "stops of several services would be counted together"
    if counter["LogGroupName"] != "<base:TaskStopLogGroup>":
        yield "stops are counted in another log"
    if counter["FilterPattern"] != '{ $.detail.group = "service:<Service.Name>" }':
        yield f"counted are {counter['FilterPattern']}"


def refusals_of_the_tailnet_are_counted(deployment: Deployment) -> Iterator[str]:
    """In the sidecar's log, by each of the words it has for them, zero where there are none."""
    counter = deployment.service.of_type("AWS::Logs::MetricFilter")["TailscaleKeyMetric"]
    if counter["LogGroupName"] != "<base:TailscaleLogGroup>":
        yield f"refusals are looked for in {counter['LogGroupName']}"
    if counter["FilterPattern"] != " ".join(f'?"{words}"' for words in REFUSAL_WORDS):
        yield f"counted are {counter['FilterPattern']}"
    (made,) = counter["MetricTransformations"]
    expected = {"MetricNamespace": NAMESPACE, "MetricName": REFUSALS, "MetricValue": "1", "DefaultValue": 0}
    if made != expected:
        yield f"refusals are counted as {made}"


CHECKS = (
    every_alarm_reaches_a_person,
    alarms_ring_when_they_should,
    no_mail_is_noticed_in_time,
    a_share_needs_a_number,
    scaling_looks_at_what_is_written,
    dashboard_shows_what_there_is,
    stops_are_recorded_and_counted,
    refusals_of_the_tailnet_are_counted,
)
