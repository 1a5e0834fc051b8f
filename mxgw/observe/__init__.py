"""What the gateway tells its operators: counts, one log line per event, the last transactions.

``Instruments`` counts on the hot path and gives a ``Snapshot``; snapshots of several processes add up.
``EventLog`` writes lines. ``exposition`` renders a snapshot for Prometheus and is imported only by the HTTP
door, since prometheus_client is slow to load.
"""

from mxgw.observe.eventlog import EventLog, Form
from mxgw.observe.instruments import Instruments, Readings
from mxgw.observe.snapshot import HomeReading, Snapshot, State, WorkerReading

__all__ = [
    "EventLog",
    "Form",
    "HomeReading",
    "Instruments",
    "Readings",
    "Snapshot",
    "State",
    "WorkerReading",
]
