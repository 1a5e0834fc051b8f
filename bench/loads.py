"""What is sent: by Postfix's ``smtp-source``, or by ``mxgw load send`` where mail must be signed or timed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

from bench.processes import find_program

RECIPIENT = "user@example.com"
CLIENTS = "198.51.100.0/24"
"""Where clients come from by their PROXY headers: RFC 5737, known to the zone of bench.zone."""

SENDER_DOMAIN = "sender.example"
HELO = f"out.{SENDER_DOMAIN}"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """How long it took, and what the sender complained about ("" = nothing).

    ``latency_ms``: percentiles by name ("p50"), from when a message was due to its last reply; empty where
    the sender does not measure it.
    """

    seconds: float
    complaint: str
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    """Of the sender, without the start of its interpreter; 0 where it does not say."""
    accepted: int | None = None
    """How many were acknowledged; None where the sender does not say."""


class Load(Protocol):
    """One run of a sender."""

    @property
    def sessions(self) -> int:
        """How many at once."""

    @property
    def octets(self) -> int:
        """Of one message."""

    @property
    def messages(self) -> int:
        """In all."""

    def with_messages(self, messages: int, *, octets: int | None = None) -> Self:
        """The same with more or fewer, or smaller."""

    def with_sessions(self, sessions: int) -> Self:
        """The same over so many sessions."""

    def argv(self, address: str) -> list[str]:
        """The command, as a reader can repeat it."""

    def command(self, address: str) -> list[str]:
        """The same with the programs where they are here."""

    def read(self, run: subprocess.CompletedProcess[bytes], seconds: float) -> LoadResult:
        """What came out."""


@dataclass(frozen=True, slots=True)
class SourceLoad:
    """``smtp-source``: costs least, measures nothing itself."""

    sessions: int
    octets: int
    keep_connections: bool
    messages: int

    def with_messages(self, messages: int, *, octets: int | None = None) -> Self:
        return replace(self, messages=messages, octets=octets or self.octets)

    def with_sessions(self, sessions: int) -> Self:
        return replace(self, sessions=sessions)

    def argv(self, address: str) -> list[str]:
        options = ["-s", str(self.sessions), "-l", str(self.octets), "-m", str(self.messages)]
        options += ["-d"] if self.keep_connections else []
        envelope = ["-M", "client.example.org", "-f", "sender@example.org", "-t", RECIPIENT]
        return ["smtp-source", *options, *envelope, address]

    def command(self, address: str) -> list[str]:
        name, *rest = self.argv(address)
        return [find_program(name), *rest]

    def read(self, run: subprocess.CompletedProcess[bytes], seconds: float) -> LoadResult:
        return LoadResult(seconds, _last_line(run.stderr) if run.returncode else "")


@dataclass(frozen=True, slots=True)
class MxgwLoad:
    """``mxgw load send``: latency of each message; on wish signed, from many clients, at a constant rate."""

    sessions: int
    octets: int
    keep_connections: bool
    messages: int
    rate: float | None = None
    signing_key: Path | None = None
    """Signs for SENDER_DOMAIN, and comes from CLIENTS by PROXY headers."""
    proxied: bool = False
    real_sizes: bool = False
    pipelining: bool = True

    def with_messages(self, messages: int, *, octets: int | None = None) -> Self:
        return replace(
            self, messages=messages, octets=octets or self.octets, rate=None if octets else self.rate
        )

    def with_sessions(self, sessions: int) -> Self:
        return replace(self, sessions=sessions)

    def argv(self, address: str) -> list[str]:
        options = ["-s", str(self.sessions), "-n", str(self.messages)]
        options += ["--size", "real" if self.real_sizes else str(self.octets)]
        options += [] if self.pipelining else ["--no-pipelining"]
        options += ["--per-connection", "0"] if self.keep_connections else []
        options += ["--rate", f"{self.rate:g}"] if self.rate else []
        options += ["--helo", HELO, "--from", f"sender@{SENDER_DOMAIN}", "--to", RECIPIENT]
        options += ["--proxy", CLIENTS] if self.proxied else []
        options += ["--dkim", SENDER_DOMAIN, "--dkim-key", str(self.signing_key)] if self.signing_key else []
        return ["mxgw", "load", "send", address, *options, "--json"]

    def command(self, address: str) -> list[str]:
        _, *rest = self.argv(address)
        return [sys.executable, "-m", "mxgw", *rest]

    def read(self, run: subprocess.CompletedProcess[bytes], seconds: float) -> LoadResult:
        try:
            found = json.loads(run.stdout)
        except ValueError:
            return LoadResult(seconds, _last_line(run.stderr) or f"exit code {run.returncode}, no figures")
        wrong = {name: count for name, count in found["messages"].items() if count and name not in _EXPECTED}
        complaint = ", ".join(f"{count} {name}" for name, count in wrong.items())
        if complaint:
            complaint += "".join(f"; {stage}: {text}" for stage, text in found["texts"].items())[:200]
        latency = {
            name: value for name, value in found["latency_ms"].items() if name not in {"count", "deviation"}
        }
        return LoadResult(
            found["seconds"],
            complaint,
            latency,
            found["harness"]["cpu_seconds"],
            found["messages"]["acknowledged"],
        )


_EXPECTED = {"begun", "acknowledged"}


def _last_line(text: bytes) -> str:
    return (text.decode(errors="replace").strip().splitlines() or [""])[-1]
