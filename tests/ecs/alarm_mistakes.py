"""Mistakes in who is told what."""

from __future__ import annotations

from tests.ecs.mutations import (
    Mutation,
    add,
    base,
    drop,
    imported,
    parameter,
    put,
    service,
    variable,
)

MISTAKES: tuple[Mutation, ...] = (
    service("alarm without an action", drop("HomeDownAlarm/AlarmActions")),
    service("alarm without an all-clear", put("MemoryAlarm/OKActions", [])),
    service("alarm switched off", put("NoMailAlarm/ActionsEnabled", False)),
    service("alarm removed", drop("TaskRestartsAlarm")),
    service("dead tasks are fine", put("NoHealthyTaskAlarm/TreatMissingData", "notBreaching")),
    service("a missing probe is fine", put("HomeDownAlarm/TreatMissingData", "missing")),
    service("one zone's view is enough", put("NoHealthyTaskAlarm/Statistic", "Minimum")),
    service("alarm on a metric that nobody writes", put("HomeDownAlarm/MetricName", "mxgw_home_down")),
    service("alarm on other dimensions", put("HomeFailingAlarm/Dimensions", [])),
    service(
        "alarm of the wrong target group",
        put("NoHealthyTaskAlarm/Dimensions/1/Value", {"Ref": "TargetGroup"}),
    ),
    service(
        "a share of one message",
        put("DeferringAlarm/Metrics/0/Expression", "100 * deferred / (deferred + accepted)"),
    ),
    service("the silence is fixed", put("NoMailAlarm/EvaluationPeriods", 24)),
    service("a month of silence", parameter("NoMailHours", MaxValue=720)),
    service(
        "alarm in English only",
        put("MemoryAlarm/AlarmDescription", "A task uses more than 85 % of its memory."),
    ),
    base("nobody subscribed", drop("AlertSubscription")),
    base("chat not subscribed", drop("ChatSubscription")),
    service("dashboard is no JSON", put("Dashboard/DashboardBody", '{"widgets": [}')),
    service("dashboard without alarms", put("Dashboard/DashboardBody", '{"widgets": []}')),
    service(
        "deployments ring",
        add("TaskStopRule/EventPattern/detail/$or/0/stopCode", "ServiceSchedulerInitiated"),
    ),
    service(
        "stops of other clusters",
        put(
            "TaskStopRule/EventPattern/detail/clusterArn",
            ["arn:aws:ecs:ap-northeast-1:111122223333:cluster/other"],
        ),
    ),
    service(
        "refusals looked for in the wrong log",
        put("TailscaleKeyMetric/LogGroupName", imported("GatewayLogGroupName")),
    ),
    service(
        "refusals all to be said at once",
        put("TailscaleKeyMetric/FilterPattern", '"failed to auth tailscale" "left running state"'),
    ),
    service("refusals of several stacks together", put("TailscaleKeyAlarm/MetricName", "tailscale_refused")),
    service("no alarm when the tailnet refuses", drop("TailscaleKeyAlarm")),
    service("stops counted without a name", drop("TaskStopMetric/MetricTransformations/0/Dimensions")),
    service("metrics written for another", variable("GATEWAY", "MXGW_EMF_SERVICE", "mxgw")),
)
