"""``rollback``, ``status`` and ``destroy``."""

from __future__ import annotations

from tests.deploy.deploy_rig import Aws, Desk, did, lines


def test_a_rollback_goes_to_the_image_before_and_forth_again(desk: Desk, aws: Aws) -> None:
    assert desk.deploy("up", "--yes", "--no-verify").code == 0
    first = aws.image_tag()
    alone = desk.deploy("rollback", "--yes", "--no-verify")
    desk.change_source()
    assert desk.deploy("up", "--yes", "--no-verify").code == 0
    second = aws.image_tag()

    back = desk.deploy("rollback", "--yes", "--no-verify")
    after = aws.image_tag()
    forth = desk.deploy("rollback", "--yes", "--no-verify", "--to", second)

    assert "there is none before it" in alone.err
    assert back.code == 0, back.out + back.err
    assert after == first != second
    assert forth.code == 0, forth.out + forth.err
    assert aws.image_tag() == second
    same = desk.deploy("rollback", "--yes", "--to", second)
    assert (same.code, first in same.err) == (2, True)
    gone = desk.deploy("rollback", "--yes", "--to", "0.0.1-nowhere")
    assert "no longer in ECR" in gone.err


def test_without_a_stack_there_is_nothing_to_go_back_to(desk: Desk) -> None:
    ended = desk.deploy("rollback", "--yes")

    assert ended.code == 2
    assert "`mxgw deploy up` makes it" in ended.err


def test_the_status_tells_what_is_there_and_what_rings(desk: Desk, aws: Aws) -> None:
    before = desk.deploy("status")
    assert desk.deploy("up", "--yes", "--no-verify").code == 0
    watch = aws.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="mxgw-edge-home-down",
        MetricName="mxgw_home_up",
        Namespace="mxgw",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
    )
    watch.set_alarm_state(AlarmName="mxgw-edge-home-down", StateValue="ALARM", StateReason="test")

    after = desk.deploy("status")

    assert before.code == 1
    assert [one["ok"] for one in lines(before) if "part" in one][:2] == [False, False]
    parts = {one["part"]: one for one in lines(after) if "part" in one}
    assert parts["mxgw-base"]["ok"]
    assert parts["image"]["state"] == aws.image_tag()
    assert parts["alarms"] == {"part": "alarms", "state": "mxgw-edge-home-down", "ok": False}
    assert parts["secrets"]["ok"]
    assert [one["record"] for one in lines(after) if "record" in one] == ["A", "A", "MX"]
    assert after.code == 1


def test_destroy_tells_what_goes_and_stays_and_needs_the_name(desk: Desk, aws: Aws) -> None:
    assert desk.deploy("up", "--yes", "--no-verify").code == 0
    base = aws.outputs("mxgw-base")

    unasked = desk.deploy("destroy")
    wrong = desk.deploy("destroy", "--confirm", "mxgw-edge")
    assert len(aws.stacks()) == 2
    ended = desk.deploy("destroy", "--confirm", "mxgw-base")

    assert "--confirm mxgw-base" in unasked.err
    assert (unasked.code, wrong.code) == (2, 2)
    assert ended.code == 0, ended.out + ended.err
    assert aws.stacks() == {}
    fates = {one["resource"]: one["fate"] for one in lines(ended) if "fate" in one}
    assert {name for name, fate in fates.items() if fate == "stays"} == {"MxAddressA", "MxAddressB"}
    assert fates["TlsSecret"] == fates["GatewayLogGroup"] == fates["Service"] == "goes"
    kept = [one["PublicIp"] for one in aws.client("ec2").describe_addresses()["Addresses"]]
    assert {base["MxAddressA"], base["MxAddressB"]} <= set(kept)
    assert did(ended)[-2:] == ["destroyed", "destroyed-costs"]
    assert base["MxAddressA"] in lines(ended)[-1]["message"]

    again = desk.deploy("destroy", "--confirm", "mxgw-base")
    assert (again.code, "nothing to do" in again.err) == (2, True)
