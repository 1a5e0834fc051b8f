"""What Prometheus gets, and the table in the documents."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from mxgw.observe import HomeReading, Instruments, Readings, State, catalogue
from mxgw.observe.exposition import render
from mxgw.observe.snapshot import Snapshot
from mxgw.outcome import Decision
from tests.observe.samples import NOON, outcome


def parsed(body: bytes) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def snapshot(*homes: HomeReading | None) -> Snapshot:
    return Snapshot.total(map(one_worker, homes), started_at=NOON)


def one_worker(home: HomeReading | None) -> Snapshot:
    return Instruments(clock=lambda: NOON, read=lambda: Readings(State.READY, home)).snapshot()


def test_every_metric_of_the_catalogue_is_rendered_and_parses() -> None:
    meters = Instruments(clock=lambda: NOON, read=lambda: Readings(State.READY, HomeReading(up=True)))
    meters.record(outcome())
    meters.record(outcome(decision=Decision.REJECT, reason='odd"reason\\\n', relay_seconds=700))
    meters.session_refused("draining")

    body = render(meters.snapshot(), version="1.2", state=State.READY)

    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert {name.removesuffix("_total") for name in (m.name for m in catalogue.CATALOGUE)} == set(families)
    assert all(families[m.name.removesuffix("_total")].type == m.kind for m in catalogue.CATALOGUE)
    values = parsed(body)
    assert values["mxgw_transactions_total", "decision=accept", "reason=delivered"] == 1
    assert values["mxgw_transactions_total", "decision=reject", 'reason=odd"reason\\\n'] == 1
    assert values["mxgw_build_info", "version=1.2"] == 1
    assert values["mxgw_relay_seconds_bucket", "le=+Inf"] == values[("mxgw_relay_seconds_count",)] == 2
    assert values["mxgw_relay_seconds_bucket", "le=600.0"] == 1
    assert values["mxgw_workers", "state=ready"] == 1
    assert values[("mxgw_draining",)] == 0


def test_home_is_up_only_while_every_worker_says_so() -> None:
    up, down = HomeReading(up=True, connections=2, waiting=1), HomeReading(up=False, connections=1)

    both = parsed(render(snapshot(up, up), version="1", state=State.READY))
    one = parsed(render(snapshot(up, down), version="1", state=State.DRAINING))

    assert both[("mxgw_home_up",)] == 1
    assert one[("mxgw_home_up",)] == 0
    assert one[("mxgw_home_connections",)] == 3
    assert one[("mxgw_home_waiting",)] == 1
    assert one[("mxgw_draining",)] == 1


def test_home_that_was_not_met_yet_is_neither_up_nor_down() -> None:
    values = parsed(render(snapshot(None, HomeReading(up=None)), version="1", state=State.READY))

    assert ("mxgw_home_up",) not in values


def test_no_metric_has_an_address_among_its_labels() -> None:
    labels = {label for metric in catalogue.CATALOGUE for label in metric.labels}

    assert labels == {"decision", "reason", "answer", "check", "result", "state", "version"}


def test_the_table_in_the_documents_is_the_catalogue() -> None:
    document = Path(__file__).parents[2] / "docs" / "metrics.md"

    assert document.read_text(encoding="utf-8").endswith("\n\n" + catalogue.markdown())
