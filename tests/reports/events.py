"""DMARC events as the gateway logs them, for tests; and the schemas that reports are held against."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

from lxml import etree

from mxgw.loglines import LogCounts, read_events
from mxgw.reports.aggregate import Aggregate
from mxgw.reports.events import DmarcEvent, parse_event
from mxgw.reports.feedback_xml import feedback_xml
from mxgw.reports.identity import Reporter, report_name
from mxgw.reports.period import Period

HERE = Path(__file__).parent
SCHEMA = etree.XMLSchema(etree.parse(str(HERE / "dmarc.xsd")))
OLD_SCHEMA = etree.XMLSchema(etree.parse(str(HERE / "dmarc-rfc7489.xsd")))
NS = "{urn:ietf:params:xml:ns:dmarc-2.0}"
DAY = Period.day_of(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
REPORTER = Reporter("Example Org", "dmarc@example.org", "mx.example.org", "https://example.org/dmarc")


def event(**changes: Any) -> dict[str, Any]:
    """The fields of one event, as they stand in the log."""
    return {
        "time": "2026-11-23T10:00:00.123Z",
        "event": "dmarc",
        "id": "c3po",
        "source_ip": "192.0.2.1",
        "count": 1,
        "header_from": "example.com",
        "envelope_from": "bounce.example.com",
        "envelope_to": ["example.org"],
        "policy_domain": "example.com",
        "discovery": "treewalk",
        "p": "reject",
        "sp": "",
        "np": "",
        "adkim": "r",
        "aspf": "r",
        "testing": "n",
        "rua": ["mailto:d@example.com"],
        "disposition": "pass",
        "dkim_aligned": "pass",
        "spf_aligned": "pass",
        "override": "",
        "override_comment": "",
        "dkim": [{"domain": "example.com", "selector": "s", "result": "pass", "human_result": ""}],
        "spf": {"domain": "bounce.example.com", "scope": "mfrom", "result": "pass"},
        **changes,
    }


def parsed(**changes: Any) -> DmarcEvent:
    """The same as a value."""
    return parse_event(event(**changes))


def line(**changes: Any) -> bytes:
    """The same as a line of the log."""
    return json.dumps(event(**changes), separators=(",", ":")).encode() + b"\n"


def read(content: bytes) -> tuple[list[dict[str, Any]], LogCounts]:
    """The events in a log."""
    counts = LogCounts()
    file = BufferedReader(BytesIO(content))  # type: ignore[arg-type]
    return [dict(fields) for _, fields in read_events(file, "edge.log", counts, event="dmarc")], counts


def aggregated(*events: DmarcEvent, **bounds: int) -> Aggregate:
    """The events of the day, counted."""
    aggregate = Aggregate(DAY, **bounds)
    for one in events:
        aggregate.add(one)
    return aggregate


def xml(aggregate: Aggregate, domain: str = "example.com", reporter: Reporter = REPORTER) -> bytes:
    """The report of a domain; it follows the schema of RFC 9990."""
    name = report_name(reporter, domain, aggregate.period)
    document = "".join(feedback_xml(aggregate.domains[domain], reporter, name)).encode()
    SCHEMA.assertValid(etree.fromstring(document))
    return document


def tree(document: bytes) -> Any:
    """The root of a document, without its name space."""
    root = etree.fromstring(document)
    for element in root.iter():
        element.tag = str(element.tag).removeprefix(NS)
    return root


def records(document: bytes) -> list[Any]:
    """The records of a report."""
    return list(tree(document).iterfind("record"))
