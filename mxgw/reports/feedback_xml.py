"""Writes the report of one domain as XML: RFC 9990 appendix A.

Elements stand in the order in which RFC 7489 appendix C has them, what is new behind them, and every default
is written out: a reader of the old format finds what it looks for. What it may stumble on is in the new RFC
itself: the name space, "pass" as a disposition, "policy_test_mode" as a reason, no "pct".
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from mxgw.reports.aggregate import DomainCounts, ordered
from mxgw.reports.events import Row, printable
from mxgw.reports.identity import Reporter, ReportName

NAMESPACE: Final = "urn:ietf:params:xml:ns:dmarc-2.0"
ROWS_PER_WRITE: Final = 200

_PLAIN: Final = re.compile(r"[0-9A-Za-z.:_-]*")
_MARKUP: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_gzip(file: BinaryIO, counts: DomainCounts, reporter: Reporter, name: ReportName) -> None:
    """The report, compressed; the same report gives the same octets."""
    # No name and the time of the period instead of ours: gzip would put them into its head.
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=name.period.until) as packed:
        for text in feedback_xml(counts, reporter, name):
            packed.write(text.encode())


def feedback_xml(counts: DomainCounts, reporter: Reporter, name: ReportName) -> Iterator[str]:
    """The document in pieces; none of them is large. There must be a row at least."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="{NAMESPACE}">\n'
    yield "  <version>1.0</version>\n"
    yield _metadata(counts, reporter, name)
    yield _policy(counts)
    piece: list[str] = []
    for row, count in ordered(counts.rows):
        piece.append(_record(row, count))
        if len(piece) == ROWS_PER_WRITE:
            yield "".join(piece)
            piece.clear()
    yield "".join([*piece, "</feedback>\n"])


def remark(counts: DomainCounts) -> str:
    """What the reader must know of this report (RFC 9990 section 3.1.5); "" for nothing."""
    remarks = []
    if counts.left_out:
        remarks.append(f"{counts.left_out} messages are not listed: the limit on rows was reached")
    if len(counts.policies) > 1:
        remarks.append("the policy changed during the period; the last one seen is stated")
    return "; ".join(remarks)


def _metadata(counts: DomainCounts, reporter: Reporter, name: ReportName) -> str:
    return _block(
        1,
        "report_metadata",
        [
            _element(2, "org_name", reporter.org_name),
            _element(2, "email", reporter.email),
            _optional(2, "extra_contact_info", reporter.extra_contact),
            _element(2, "report_id", name.report_id),
            _block(
                2,
                "date_range",
                [_element(3, "begin", str(name.period.begin)), _element(3, "end", str(name.period.end))],
            ),
            _optional(2, "error", remark(counts)),
            _element(2, "generator", reporter.generator),
        ],
    )


def _policy(counts: DomainCounts) -> str:
    policy = counts.published
    return _block(
        1,
        "policy_published",
        [
            _element(2, "domain", policy.domain),
            _element(2, "adkim", policy.adkim),
            _element(2, "aspf", policy.aspf),
            _element(2, "p", policy.p),
            _element(2, "sp", policy.sp),
            _element(2, "np", policy.np),
            _element(2, "testing", policy.testing),
            _optional(2, "discovery_method", policy.discovery or ""),
        ],
    )


def _record(row: Row, count: int) -> str:
    return _block(
        1,
        "record",
        [
            _block(
                2,
                "row",
                [
                    _element(3, "source_ip", row.source_ip),
                    _element(3, "count", str(count)),
                    _evaluated(row),
                ],
            ),
            _block(
                2,
                "identifiers",
                [
                    _optional(3, "envelope_to", row.envelope_to),
                    # Empty for the null reverse-path (RFC 9990 section 3.1.1.10); old readers need it.
                    _element(3, "envelope_from", row.envelope_from),
                    _element(3, "header_from", row.header_from),
                ],
            ),
            _results(row),
        ],
    )


def _evaluated(row: Row) -> str:
    parts = [
        _element(4, "disposition", row.disposition),
        _element(4, "dkim", row.dkim_aligned),
        _element(4, "spf", row.spf_aligned),
    ]
    if row.override is not None:
        reason = [_element(5, "type", row.override), _optional(5, "comment", row.override_comment)]
        parts.append(_block(4, "reason", reason))
    return _block(3, "policy_evaluated", parts)


def _results(row: Row) -> str:
    parts = [
        _block(
            3,
            "dkim",
            [
                _element(4, "domain", signature.domain),
                _element(4, "selector", signature.selector),
                _element(4, "result", signature.result),
                _optional(4, "human_result", signature.human_result),
            ],
        )
        for signature in row.dkim
    ]
    if row.spf is not None:
        spf = [
            _element(4, "domain", row.spf.domain),
            _element(4, "scope", "mfrom"),
            _element(4, "result", row.spf.result),
        ]
        parts.append(_block(3, "spf", spf))
    return _block(2, "auth_results", parts)


def _block(depth: int, name: str, parts: list[str]) -> str:
    indent = "  " * depth
    return f"{indent}<{name}>\n{''.join(parts)}{indent}</{name}>\n"


def _element(depth: int, name: str, text: str) -> str:
    # XML 1.0 has no way to write most control characters: what cannot be printed is replaced.
    written = text if _PLAIN.fullmatch(text) else printable(text).translate(_MARKUP)
    if not written.isascii():
        # As character references: some readers stumble over a document that is not ASCII.
        written = written.encode("ascii", "xmlcharrefreplace").decode("ascii")
    return f"{'  ' * depth}<{name}>{written}</{name}>\n"


def _optional(depth: int, name: str, text: str) -> str:
    return _element(depth, name, text) if text else ""
