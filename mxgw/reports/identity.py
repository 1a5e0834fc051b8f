"""Who reports, and the names of a report: its id, its file, its subject. The same input gives the same names.

A report that is made again has the id and the file name of the first (RFC 9990 section 3.5.2), so whoever
gets it twice can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from mxgw import __version__
from mxgw.reports.period import Period

ID_DIGITS: Final = 32
"""128 bits in hexadecimal digits: letters and digits only, as RFC 9990 section 3.5.2 has "unique-id"."""

MAX_FILE_NAME: Final = 240
"""Octets. File systems take 255, and we append; the two domains in the name may have 253 each."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who makes the reports. ``receiver`` is a domain as A-labels; ``email`` an address at which to ask."""

    org_name: str
    email: str
    receiver: str
    extra_contact: str = ""
    generator: str = f"mxgw {__version__}"


@dataclass(frozen=True, slots=True)
class ReportName:
    """The names of the report of one domain about one period."""

    receiver: str
    domain: str
    period: Period
    report_id: str

    @property
    def file_name(self) -> str:
        """RFC 9990 section 3.5.2."""
        return f"{self.receiver}!{self.domain}!{self.period.begin}!{self.period.end}!{self.report_id}.xml.gz"

    @property
    def stored_as(self) -> str:
        """The file name where it fits into a file system, otherwise one of the id alone."""
        name = self.file_name
        return name if len(name) <= MAX_FILE_NAME else f"{self.report_id}.xml.gz"


def report_name(reporter: Reporter, domain: str, period: Period, *, report_id: str = "") -> ReportName:
    """``report_id`` in place of the one that follows from receiver, domain and period."""
    words = (reporter.receiver, domain, str(period.begin), str(period.until))
    derived = sha256("!".join(words).encode()).hexdigest()[:ID_DIGITS]
    return ReportName(reporter.receiver, domain, period, report_id or derived)
