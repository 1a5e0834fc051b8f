"""Measurements made up, for the parts of the bench that only calculate."""

from __future__ import annotations

from bench.measure import Sample


def sample(
    gateway: str,
    *,
    round_number: int = 0,
    cpu_ms: float = 1.0,
    workload: str = "a20",
    sent: int = 100,
    delivered: int | None = None,
    complaint: str = "",
) -> Sample:
    """A run of ``sent`` messages in one second."""
    return Sample(
        gateway=gateway,
        workload=workload,
        round=round_number,
        sent=sent,
        delivered=sent if delivered is None else delivered,
        octets=10_000,
        seconds=1.0,
        cpu_seconds=cpu_ms * sent / 1000,
        system_seconds=0.0,
        peak_pss_megabytes=10.0,
        elsewhere=0.0,
        accounting="made up",
        complaint=complaint,
        delivered_seconds=2.0,
    )
