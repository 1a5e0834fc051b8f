"""Lines of metrics for CloudWatch: what CloudWatch takes, and sums that are the totals."""

from __future__ import annotations

import asyncio
import json
import smtplib
import sys

import pytest

from mxgw.config import Config, load
from mxgw.observe import EventLog, Form, HomeReading, Instruments, Readings, Snapshot, State, catalogue
from mxgw.observe.emf import MetricLines, write_lines
from mxgw.outcome import Decision
from mxgw.service.metrics import metric_lines
from tests.aws.certificates import make_pair
from tests.ecs.alarm_checks import metrics_written_by_the_program
from tests.ecs.deployment import deployments
from tests.ecs.template_reading import BASE, SERVICE, read
from tests.observe.emf_rules import faults, metrics, sums
from tests.observe.samples import NOON, outcome
from tests.rig.gateway import Gateway
from tests.rig.process import ROOT

UP = HomeReading(up=True)
WITH_CERTIFICATE = Readings(State.READY, UP, certificate_ends=NOON + 20 * 86400)


class Lines:
    """Takes the place of stdout."""

    lost = 0

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.written.append(line)

    def close(self) -> None:
        """Nothing is held back."""


def meters(readings: Readings = WITH_CERTIFICATE) -> Instruments:
    return Instruments(clock=lambda: NOON, read=lambda: readings)


def line(lines: MetricLines, *workers: Snapshot) -> bytes:
    out = Lines()
    snapshot = Snapshot.total(workers, started_at=NOON)
    EventLog(out).machine_event("metrics", **lines.next(snapshot, NOON))
    return out.written[0]


def values(written: bytes) -> dict[str, float]:
    return {name: value for (_, _, name), value in metrics(written).items()}


# The form.


def test_a_line_is_what_the_specification_asks_for() -> None:
    written = line(MetricLines("mxgw-edge"), meters().snapshot())

    assert faults(written) == []
    root = json.loads(written)
    assert root["_aws"]["Timestamp"] == NOON * 1000
    [directive] = root["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "mxgw"
    assert directive["Dimensions"] == [["Service"]]
    assert root["Service"] == "mxgw-edge"
    assert len(written) < 2048


def test_the_metrics_are_those_that_alarms_dashboard_and_scaling_use() -> None:
    counted = meters()
    counted.record(outcome())

    written = values(line(MetricLines("mxgw-edge"), counted.snapshot()))

    for deployment in deployments(read(BASE), read(SERVICE)):
        assert set(written) >= metrics_written_by_the_program(deployment)
    used = [metrics_written_by_the_program(each) for each in deployments(read(BASE), read(SERVICE))]
    assert set(written) == set().union(*used)


@pytest.mark.parametrize(
    "wrong",
    [
        {"_aws": {"CloudWatchMetrics": []}},
        {"_aws": {"Timestamp": 1795514400, "CloudWatchMetrics": []}},
        {"Service": 7},
        {"Service": ""},
        {"mxgw_home_up": "1"},
        {"mxgw_home_up": True},
        {"mxgw_sessions_open": None},
        {"mxgw_sessions_open": []},
    ],
)
def test_the_judge_of_lines_sees_what_is_wrong(wrong: dict[str, object]) -> None:
    good = json.loads(line(MetricLines("mxgw-edge"), meters().snapshot()))

    assert faults(json.dumps({**good, **wrong}).encode() + b"\n") != []


@pytest.mark.parametrize(
    "change",
    [
        {"Namespace": ""},
        {"Dimensions": []},
        {"Dimensions": [["Task"]]},
        {"Metrics": []},
        {"Metrics": [{"Name": "mxgw_nobody"}]},
        {"Metrics": [{"Name": "mxgw_home_up", "Unit": "Messages"}]},
        {"Metrics": [{"Name": "mxgw_home_up", "Kind": "gauge"}]},
        {"Metrics": [{"Name": "mxgw_home_up"}, {"Name": "mxgw_home_up"}]},
        {"Metrics": [{"Name": "mxgw_home_up"}] * 101},
        {"Period": 60},
    ],
)
def test_the_judge_of_lines_sees_a_wrong_directive(change: dict[str, object]) -> None:
    good = json.loads(line(MetricLines("mxgw-edge"), meters().snapshot()))
    good["_aws"]["CloudWatchMetrics"][0].update(change)

    assert faults(json.dumps(good).encode() + b"\n") != []


# The values.


def test_zeros_are_told_and_what_is_not_known_is_left_out() -> None:
    written = values(line(MetricLines("mxgw-edge"), meters(Readings(State.STARTING)).snapshot()))

    assert written == {
        "mxgw_transactions_total_accept": 0,
        "mxgw_transactions_total_defer": 0,
        "mxgw_transactions_total_reject": 0,
        "mxgw_recipients_total_unknown": 0,
        "mxgw_sessions_hidden_total": 0,
        "mxgw_log_lines_lost_total": 0,
        "mxgw_sessions_open": 0,
    }


def test_two_minutes_add_up_to_the_totals() -> None:
    counted, lines = meters(), MetricLines("mxgw-edge")
    counted.record(outcome())
    counted.record(outcome(decision=Decision.DEFER, recipients=[("a@example.jp", ""), ("b@example.jp", "")]))
    counted.session_opened()
    counted.session_hidden()
    first = line(lines, counted.snapshot())
    counted.record(outcome())
    counted.record(outcome(decision=Decision.REJECT, reason="spam"))
    counted.record(outcome(decision=Decision.REJECT, reason="virus"))
    counted.record(outcome(decision=Decision.ABORTED))
    counted.session_hidden()
    second = line(lines, counted.snapshot())
    third = line(lines, counted.snapshot())

    total = sums([first, second, third])

    snapshot = counted.snapshot()
    assert [values(each)["mxgw_transactions_total_accept"] for each in (first, second, third)] == [1, 1, 0]
    assert total["mxgw_transactions_total_accept"] == 2
    assert total["mxgw_transactions_total_defer"] == 1
    assert total["mxgw_transactions_total_reject"] == 2
    assert total["mxgw_recipients_total_unknown"] == snapshot.value("mxgw_recipients_total", "unknown") == 2
    assert total["mxgw_sessions_hidden_total"] == snapshot.value("mxgw_sessions_hidden_total") == 2
    assert values(third)["mxgw_sessions_open"] == 1


def test_all_workers_are_in_one_line() -> None:
    one, other = meters(), meters(Readings(State.READY, HomeReading(up=False), certificate_ends=NOON - 86400))
    one.record(outcome())
    other.record(outcome())
    one.session_opened()
    other.session_opened()

    written = values(line(MetricLines("mxgw-edge"), one.snapshot(), other.snapshot()))

    assert written["mxgw_transactions_total_accept"] == 2
    assert written["mxgw_sessions_open"] == 2
    assert written["mxgw_home_up"] == 0
    assert written["mxgw_certificate_days"] == -1


def test_counts_that_died_with_a_worker_are_never_told_as_less_than_nothing() -> None:
    one, other, lines = meters(), meters(), MetricLines("mxgw-edge")
    one.record(outcome())
    other.record(outcome())
    lines.next(Snapshot.total([one.snapshot(), other.snapshot()], started_at=NOON), NOON)

    after_death = line(lines, one.snapshot())
    one.record(outcome())
    one.record(outcome())
    later = line(lines, one.snapshot())

    assert values(after_death)["mxgw_transactions_total_accept"] == 0
    assert values(later)["mxgw_transactions_total_accept"] == 1


def test_the_delay_is_that_of_the_last_minute_alone() -> None:
    counted, lines = meters(), MetricLines("mxgw-edge")
    for _ in range(200):
        counted.record(outcome(relay_seconds=0.02))
    quick = values(line(lines, counted.snapshot()))
    counted.record(outcome(relay_seconds=40))
    slow = values(line(lines, counted.snapshot()))
    still = values(line(lines, counted.snapshot()))

    assert quick["mxgw_relay_seconds_p99"] == 0.025
    assert slow["mxgw_relay_seconds_p99"] == 60
    assert "mxgw_relay_seconds_p99" not in still


def test_a_log_for_people_still_has_lines_for_cloudwatch() -> None:
    out = Lines()

    fields = MetricLines("mxgw-edge").next(meters().snapshot(), NOON)
    EventLog(out, form=Form.TEXT).machine_event("metrics", **fields)

    assert faults(out.written[0]) == []


# When they are written.


async def test_a_line_comes_each_period_also_where_one_of_them_is_late() -> None:
    loop, started = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    written: list[float] = []
    enough = asyncio.Event()

    async def gather() -> Snapshot:
        if not written:
            await asyncio.sleep(0.12)
        return meters().snapshot()

    def write(fields: object) -> None:
        written.append(loop.time() - started)
        if len(written) == 4:
            enough.set()

    writing = asyncio.create_task(
        write_lines(MetricLines("x"), gather=gather, write=write, clock=lambda: NOON, seconds=0.05)
    )
    await enough.wait()
    writing.cancel()

    # The beginning of a period is never before its time, whatever the machine does beside it.
    assert all(at >= 0.05 * number for number, at in enumerate(written, 1))


async def test_without_the_setting_nothing_is_written_and_with_it_a_last_line() -> None:
    counted = meters()
    counted.record(outcome())

    async def gather() -> Snapshot:
        return counted.snapshot()

    written: dict[str, list[bytes]] = {}
    for service in ("", "mxgw-edge"):
        config = load(
            {"MXGW_DOMAINS": "example.jp", "MXGW_HOME": "lmtp://a", "MXGW_EMF_SERVICE": service},
            hostname=lambda: "mx.example.jp",
        )
        assert isinstance(config, Config)
        out = Lines()
        async with metric_lines(config, gather, EventLog(out)):
            pass
        written[service] = out.written

    assert written[""] == []
    assert [values(each)["mxgw_transactions_total_accept"] for each in written["mxgw-edge"]] == [1]


@pytest.fixture
def pem() -> dict[str, str]:
    pair = make_pair("mx.example.jp", days=30)
    return {"tls_cert": pair.certificate, "tls_key": pair.key}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_gateway_tells_everything_it_counted(pem: dict[str, str], workers: str) -> None:
    with Gateway(
        "lmtp://127.0.0.1:1",
        wrapper=["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.aws.hasty"],
        workers=workers,
        emf_service="mxgw-edge",
        **pem,
    ) as gateway:
        for _ in range(10):
            with smtplib.SMTP(*gateway.smtp, timeout=20) as client:
                client.ehlo()
                client.mail("a@example.net")
                assert client.rcpt("nobody@elsewhere.example")[0] in (550, 503)
        gateway.wait_for("metrics", count=2)
        assert gateway.terminate() == 0
        written = [json.dumps(event).encode() + b"\n" for event in gateway.events("metrics")]
        transactions = gateway.transactions()

    assert [fault for each in written for fault in faults(each)] == []
    total = sums(written)
    told = {decision: total[f"mxgw_transactions_total_{decision}"] for decision in ("reject", "defer")}
    logged = [event["decision"] for event in transactions]
    assert told == {decision: logged.count(decision) for decision in told}
    assert sum(told.values()) == 10
    assert 29 < values(written[0])["mxgw_certificate_days"] <= 30
    stamps = [json.loads(each)["_aws"]["Timestamp"] for each in written]
    assert stamps == sorted(stamps)


def test_every_name_comes_from_the_catalogue() -> None:
    counted = meters()
    counted.record(outcome())

    for name in values(line(MetricLines("x"), counted.snapshot())):
        assert any(name.startswith(metric.name) for metric in catalogue.CATALOGUE)
