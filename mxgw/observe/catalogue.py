"""The catalogue of our metrics: name, kind, labels, meaning. docs/metrics.md is written from it.

Rules for whoever adds one: ``mxgw_<noun>_total`` counts, ``mxgw_<stage>_seconds`` measures, quantities carry
their unit, labels are closed sets and never an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What Prometheus calls the type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the catalogue."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


class Answer(StrEnum):
    """What home said about a recipient: the label of ``mxgw_recipients_total``."""

    STORED = "stored"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNKNOWN = "unknown"


BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 240.0, 600.0)
"""From a warm connection on a LAN (5 ms) over our deadline (240 s) to what senders wait for 250 (600 s)."""

TRANSACTIONS = Metric(
    "mxgw_transactions_total",
    Kind.COUNTER,
    ("decision", "reason"),
    "Transactions that ended, by what the client was told and why",
)
RECIPIENTS = Metric(
    "mxgw_recipients_total",
    Kind.COUNTER,
    ("answer",),
    "Recipients of these transactions, by home's answer: stored, deferred, refused or unknown",
)
OCTETS = Metric(
    "mxgw_octets_total", Kind.COUNTER, (), "Octets of content that arrived, whatever became of them"
)
CHECKS = Metric(
    "mxgw_checks_total",
    Kind.COUNTER,
    ("check", "result"),
    "Checks made of messages, by what they found; handling is what was done with the message",
)
RECEIVE_SECONDS = Metric(
    "mxgw_receive_seconds", Kind.HISTOGRAM, (), "Time from MAIL to the end of the content (the client's pace)"
)
RELAY_SECONDS = Metric(
    "mxgw_relay_seconds", Kind.HISTOGRAM, (), "Time from the end of the content to home's last answer"
)
SESSIONS = Metric("mxgw_sessions_total", Kind.COUNTER, (), "Sessions that were let in")
SESSIONS_OPEN = Metric("mxgw_sessions_open", Kind.GAUGE, (), "Sessions open now")
SESSIONS_REFUSED = Metric(
    "mxgw_sessions_refused_total", Kind.COUNTER, ("reason",), "Connections turned away at the door, by reason"
)
SESSIONS_HIDDEN = Metric(
    "mxgw_sessions_hidden_total",
    Kind.COUNTER,
    (),
    "Sessions whose client has a private or shared address and sent no PROXY header: a balancer hides it",
)
EARLY_TALKERS = Metric("mxgw_early_talkers_total", Kind.COUNTER, (), "Clients that talked before the banner")
COMMAND_ERRORS = Metric(
    "mxgw_command_errors_total", Kind.COUNTER, (), "Commands refused for syntax, order or limits"
)
CERTIFICATE_DAYS = Metric(
    "mxgw_certificate_days",
    Kind.GAUGE,
    (),
    "Days until the certificate of STARTTLS ends, in the worker where it ends first; absent if self-signed",
)
HOME_UP = Metric(
    "mxgw_home_up",
    Kind.GAUGE,
    (),
    "1 while all workers reach home, 0 when one does not; absent if unknown",
)
HOME_CONNECTIONS = Metric("mxgw_home_connections", Kind.GAUGE, (), "LMTP connections to home, busy or idle")
HOME_WAITING = Metric("mxgw_home_waiting", Kind.GAUGE, (), "Deliveries that wait for a connection to home")
SPOOL_OCTETS = Metric("mxgw_spool_octets", Kind.GAUGE, (), "Octets of messages held just now")
DRAINING = Metric("mxgw_draining", Kind.GAUGE, (), "1 after SIGTERM: no new sessions, the open ones finish")
WORKERS = Metric("mxgw_workers", Kind.GAUGE, ("state",), "Worker processes, by state")
WORKER_DEATHS = Metric(
    "mxgw_worker_deaths_total", Kind.COUNTER, (), "Workers that ended unasked and were replaced"
)
LOG_LINES_LOST = Metric(
    "mxgw_log_lines_lost_total", Kind.COUNTER, (), "Log lines dropped because stdout took no more"
)
BUILD_INFO = Metric("mxgw_build_info", Kind.GAUGE, ("version",), "Always 1; the version is in the label")
START_TIME = Metric("process_start_time_seconds", Kind.GAUGE, (), "Unix time of the oldest process's start")
RESIDENT_OCTETS = Metric(
    "process_resident_memory_bytes",
    Kind.GAUGE,
    (),
    "Resident memory of all our processes (shared pages repeat)",
)
CPU_SECONDS = Metric("process_cpu_seconds_total", Kind.COUNTER, (), "User and system time, all our processes")
OPEN_FILES = Metric("process_open_fds", Kind.GAUGE, (), "Open file descriptors, all our processes")

CATALOGUE = (
    TRANSACTIONS,
    RECIPIENTS,
    OCTETS,
    CHECKS,
    RECEIVE_SECONDS,
    RELAY_SECONDS,
    SESSIONS,
    SESSIONS_OPEN,
    SESSIONS_REFUSED,
    SESSIONS_HIDDEN,
    EARLY_TALKERS,
    COMMAND_ERRORS,
    CERTIFICATE_DAYS,
    HOME_UP,
    HOME_CONNECTIONS,
    HOME_WAITING,
    SPOOL_OCTETS,
    DRAINING,
    WORKERS,
    WORKER_DEATHS,
    LOG_LINES_LOST,
    BUILD_INFO,
    START_TIME,
    RESIDENT_OCTETS,
    CPU_SECONDS,
    OPEN_FILES,
)


def markdown() -> str:
    """The table of docs/metrics.md."""
    rows = []
    for metric in CATALOGUE:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - this is the command that writes the table
