"""The events are found in a log whatever program has fetched it; what cannot be used is counted."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from io import BufferedReader, BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mxgw.loglines import MAX_LINE_OCTETS, LogCounts, LogDamagedError, read_events
from mxgw.reports.events import EventError, parse_event
from tests.reports.events import event, line, read

OTHER = b'{"time":"2026-11-23T10:00:00.000Z","event":"transaction","id":"x"}\n'
LOG = [event(id="one"), event(id="two", source_ip="2001:db8::1"), event(id="three")]
PLAIN = b"".join(json.dumps(fields, separators=(",", ":")).encode() + b"\n" for fields in LOG)
MESSAGES = [OTHER.decode().strip(), *(json.dumps(fields) for fields in LOG)]
FETCHED = {
    "events": [
        {
            "logStreamName": "edge/1",
            "timestamp": 1795428000123,
            "message": message,
            "ingestionTime": 1795428001000,
            "eventId": str(number),
        }
        for number, message in enumerate(MESSAGES)
    ],
    "searchedLogStreams": [],
}
DELIVERED = {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": it} for it in MESSAGES]}
INSIGHTS = {
    "results": [[{"field": "@message", "value": it}, {"field": "@ptr", "value": "Cmk"}] for it in MESSAGES]
}
SHAPES = {
    "JSON lines": PLAIN,
    "JSON lines among others": OTHER + PLAIN.replace(b"\n", b"\n" + OTHER),
    "without a last line end": PLAIN.removesuffix(b"\n"),
    "with CRLF": PLAIN.replace(b"\n", b"\r\n"),
    "gzip": gzip.compress(PLAIN),
    "gzip, file behind file": gzip.compress(OTHER) + gzip.compress(PLAIN),
    "side by side": PLAIN.replace(b"\n", b""),
    "aws logs filter-log-events --output json": json.dumps(FETCHED, indent=4).encode(),
    "the same in one line": json.dumps(FETCHED).encode(),
    "aws logs filter-log-events --output text": b"".join(
        f"EVENTS\t{number}\t1795428001000\tedge/1\t{message}\t1795428000123\n".encode()
        for number, message in enumerate(MESSAGES)
    ),
    "aws logs tail": b"".join(
        f"2026-11-23T10:00:00.123000+00:00 edge/1 {message}\n".encode() for message in MESSAGES
    ),
    "export to S3": gzip.compress(
        b"".join(f"2026-11-23T10:00:00.123Z {message}\n".encode() for message in MESSAGES)
    ),
    "a subscription": gzip.compress(json.dumps(DELIVERED).encode()),
    "Logs Insights": json.dumps(INSIGHTS, indent=4).encode(),
    "parsed by a shipper": b"".join(
        json.dumps({"@timestamp": "x", "@message": fields}).encode() + b"\n" for fields in LOG
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_events_are_found_in_every_shape(shape: str) -> None:
    found, counts = read(SHAPES[shape])

    assert found == LOG
    assert counts.events == len(LOG)
    assert counts.unreadable == 0


def test_every_line_is_counted_as_what_it_is() -> None:
    cut = line()[:100] + b"\n"

    found, counts = read(OTHER + cut + line() + b"not JSON at all\n\n" + cut)

    assert len(found) == 1
    assert counts == LogCounts(
        lines=6,
        events=1,
        other=3,
        unreadable=2,
        first_unreadable="edge.log, line 2: the JSON is cut or broken",
    )


def test_a_message_that_was_cut_in_a_document_costs_itself_only() -> None:
    messages = [MESSAGES[1], MESSAGES[2][:200], MESSAGES[3]]
    document = json.dumps({"events": [{"message": message} for message in messages]}, indent=4).encode()

    found, counts = read(document)

    assert found == [LOG[0], LOG[2]]
    assert counts.unreadable == 1


def test_gzip_that_ends_too_early_gives_what_it_has_and_says_so() -> None:
    # Random digits: gzip must not be done before the cut.
    dice = Random(1)
    log = b"".join(line(id=str(dice.getrandbits(500))) for _ in range(2000))
    packed = gzip.compress(log)
    counts = LogCounts()
    file = BufferedReader(BytesIO(packed[: len(packed) // 2]))  # type: ignore[arg-type]
    found = []

    with pytest.raises(LogDamagedError):
        found.extend(read_events(file, "x", counts, event="dmarc"))

    assert 100 < counts.events < 2000


def test_a_document_in_one_line_is_read_without_holding_it() -> None:
    messages = [json.dumps(event(id=str(number))) for number in range(12_000)]
    document = json.dumps({"events": [{"message": message} for message in messages]}).encode()
    assert len(document) > 2 * MAX_LINE_OCTETS

    found, counts = read(document)

    assert [fields["id"] for fields in found] == [str(number) for number in range(12_000)]
    assert counts.lines == 1
    assert counts.unreadable == 0


def test_octets_without_a_line_end_are_no_log_and_cost_no_memory() -> None:
    found, counts = read(b"\0" * (3 * MAX_LINE_OCTETS) + b"\n" + line())

    assert len(found) == 1
    assert counts.lines == 2


def test_a_strangers_words_in_our_log_are_no_event() -> None:
    forged = json.dumps(event(policy_domain="victim.example"))
    ours = {"time": "x", "event": "refused", "message": forged, "value": forged}

    found, counts = read(
        json.dumps(ours).encode() + b"\n" + json.dumps({"message": json.dumps(ours)}).encode()
    )

    assert found == []
    assert counts.other == 2


@given(st.binary(max_size=2000))
def test_no_octets_make_it_fail(octets: bytes) -> None:
    _, counts = read(octets.removeprefix(b"\x1f\x8b"))

    assert counts.events == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.sampled_from([b"", b"\n", b"{", b'"', b"\\", b"\xff", b"}"])),
        max_size=4,
    )
)
def test_no_damage_to_an_event_makes_it_fail(damage: list[tuple[int, bytes]]) -> None:
    octets = line()
    for place, put in damage:
        octets = octets[:place] + put + octets[place + 1 :]

    for fields in read(octets)[0]:
        with suppress(EventError):
            parse_event(fields)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(event())), values, max_size=4))
def test_no_value_of_a_field_makes_it_fail(changes: dict[str, object]) -> None:
    with suppress(EventError):
        assert parse_event({**event(), **changes}).count >= 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"time": "yesterday"}, "time is 'yesterday'"),
        ({"time": "2026-11-23T10:00:00"}, "time has no zone"),
        ({"time": "1969-12-31T23:59:59Z"}, "time is before 1970"),
        ({"source_ip": "mail.example.com"}, "source_ip is no address"),
        ({"count": 0}, "count is not between 1 and 1000000"),
        ({"count": True}, "count is not between 1 and 1000000"),
        ({"header_from": ""}, "no header_from"),
        ({"disposition": "junk"}, "disposition is 'junk'"),
        ({"p": "maybe"}, "p is 'maybe'"),
        ({"dkim": [1]}, "dkim does not hold objects"),
        ({"dkim": [{"domain": "a", "selector": "b", "result": "good"}]}, "result is 'good'"),
        ({"spf": "pass"}, "spf is no object"),
    ],
)
def test_an_event_that_cannot_be_reported_is_refused_with_its_reason(
    changes: dict[str, object], why: str
) -> None:
    with pytest.raises(EventError) as refused:
        parse_event(event(**changes))

    assert str(refused.value) == why


def test_addresses_are_written_one_way() -> None:
    assert parse_event(event(source_ip="::ffff:192.0.2.9")).row.source_ip == "192.0.2.9"
    assert parse_event(event(source_ip="2001:DB8:0::7")).row.source_ip == "2001:db8::7"
    assert parse_event(event(source_ip="fe80::1%eth0")).row.source_ip == "fe80::1"


def test_signatures_stand_in_the_order_of_the_rfc_and_in_one_order_only() -> None:
    signatures = [
        {"domain": "other.example", "selector": "s", "result": "fail"},
        {"domain": "other.example", "selector": "s", "result": "pass"},
        {"domain": "mail.example.com", "selector": "s", "result": "pass"},
        {"domain": "example.com", "selector": "s", "result": "pass"},
    ]

    row = parse_event(event(dkim=signatures)).row

    assert [(it.domain, it.result.value) for it in row.dkim] == [
        ("example.com", "pass"),
        ("mail.example.com", "pass"),
        ("other.example", "pass"),
        ("other.example", "fail"),
    ]
    assert parse_event(event(dkim=signatures[::-1])).row == row


def test_a_row_lists_a_hundred_signatures_at_most() -> None:
    many = [{"domain": f"d{number}.example", "selector": "s", "result": "fail"} for number in range(300)]
    many.append({"domain": "example.com", "selector": "s", "result": "pass"})

    row = parse_event(event(dkim=many)).row

    assert len(row.dkim) == 100
    assert row.dkim[0].domain == "example.com"
