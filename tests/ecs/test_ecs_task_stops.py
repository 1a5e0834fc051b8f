"""Which ends of tasks are written to the log of stops: events against the rule as moto made it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.ecs.deployment import BASE_PARAMETERS, BASE_STACK, SERVICE_PARAMETERS, SERVICE_STACK
from tests.ecs.moto_cloud import REGION, empty_cloud, outputs
from tests.ecs.template_reading import BASE, SERVICE

Recorded = Callable[[Mapping[str, str]], bool]


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    """Send an event about a task of ours, with changes; whether it was written to the log."""
    with pytest.MonkeyPatch.context() as patch, empty_cloud(patch) as cloud:
        cloud.create(BASE_STACK, BASE.read_text("utf-8"), BASE_PARAMETERS)
        names = outputs(cloud.create(SERVICE_STACK, SERVICE.read_text("utf-8"), SERVICE_PARAMETERS))
        events, logs = cloud.client("events"), cloud.client("logs")
        cluster = f"arn:aws:ecs:{REGION}:123456789012:cluster/{names['ClusterName']}"

        def written() -> int:
            found = logs.filter_log_events(logGroupName=f"/aws/events/{BASE_STACK}/task-stops")["events"]
            return len(found)

        def send(changes: Mapping[str, str]) -> bool:
            detail = {
                "clusterArn": cluster,
                "group": f"service:{names['ServiceName']}",
                "lastStatus": "STOPPED",
                "desiredStatus": "STOPPED",
                **changes,
            }
            entry: dict[str, Any] = {
                "Source": "aws.ecs",
                "DetailType": "ECS Task State Change",
                "Detail": json.dumps(detail),
            }
            before = written()
            assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
            return written() > before

        yield send


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("EssentialContainerExited", "Essential container in task exited"),
        ("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets"),
        ("TaskFailedToStart", "CannotPullContainerError: not found"),
        ("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group x)"),
        ("ServiceSchedulerInitiated", "Task failed container health checks"),
        ("TerminationNotice", "Your task is being retired"),
    ],
)
def test_an_end_that_nobody_asked_for_is_recorded(recorded: Recorded, code: str, reason: str) -> None:
    assert recorded({"stopCode": code, "stoppedReason": reason})


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment x)"),
        ("UserInitiated", "Task stopped by user"),
    ],
)
def test_an_end_that_was_asked_for_is_not(recorded: Recorded, code: str, reason: str) -> None:
    assert not recorded({"stopCode": code, "stoppedReason": reason})


@pytest.mark.parametrize(
    "other",
    [
        {"lastStatus": "DEPROVISIONING"},
        {"group": "service:another"},
        {"clusterArn": f"arn:aws:ecs:{REGION}:123456789012:cluster/another"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_step_on_the_way_or_a_task_of_others_is_not(recorded: Recorded, other: dict[str, str]) -> None:
    assert not recorded({"stopCode": "EssentialContainerExited"} | other)
