"""The mail of a report has the form of RFC 9990 section 3.5.2 and carries the report whole."""

from __future__ import annotations

import email
import email.policy
import gzip
import io
import re
from datetime import UTC, datetime
from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from mxgw.reports.feedback_xml import write_gzip
from mxgw.reports.identity import Reporter, report_name
from mxgw.reports.letter import letter
from tests.reports.events import DAY, REPORTER, aggregated, parsed, xml

DATE = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)


def written(
    domain: str = "example.com", reporter: Reporter = REPORTER, to: tuple[str, ...] = ("d@example.com",)
) -> tuple[bytes, EmailMessage]:
    aggregate = aggregated(parsed(policy_domain=domain))
    name = report_name(reporter, domain, DAY)
    packed = io.BytesIO()
    write_gzip(packed, aggregate.domains[domain], reporter, name)
    octets = letter(packed.getvalue(), reporter, name, to=to, date=DATE)
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return octets, message


def test_the_mail_says_what_it_is_and_carries_the_report() -> None:
    _, message = written(to=("d@example.com", "e@example.net"))
    name = report_name(REPORTER, "example.com", DAY)

    assert re.fullmatch(
        rf"Report Domain: example\.com Submitter: mx\.example\.org Report-ID: <{name.report_id}>",
        message["Subject"],
    )
    assert message["From"] == "dmarc@example.org"
    assert message["To"] == "d@example.com, e@example.net"
    assert message["Message-ID"] == f"<{name.report_id}@mx.example.org>"
    assert message["Date"].datetime == DATE
    text, attachment = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert "example.com asks for it" in text.get_content()
    assert attachment.get_content_type() == "application/gzip"
    assert attachment.get_filename() == name.file_name
    assert gzip.decompress(attachment.get_content()) == xml(aggregated(parsed()))
    assert [part.defects for part in message.walk()] == [[], [], []]


def test_the_longest_domains_fit_into_the_lines_of_a_message() -> None:
    domain = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    reporter = Reporter("Org", f"dmarc@{domain}", domain)

    octets, message = written(domain, reporter, to=(f"x@{domain}",) * 10)

    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert f"Report Domain: {domain} Submitter: {domain} " in message["Subject"]


@given(st.text(max_size=60))
def test_nothing_in_it_begins_another_field_or_part(text: str) -> None:
    octets, message = written(reporter=Reporter(text, text, "mx.example.org", text), to=(text,))

    assert octets.isascii()
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert len(message.keys()) == 8
    assert len(list(message.iter_parts())) == 2
