"""The readable form of a log line: aligned, coloured where the terminal takes it, one event per line."""

from __future__ import annotations

import time
from collections.abc import Mapping

from mxgw.outcome import Decision, Outcome

MAX_VALUE = 400
_RESET = "\x1b[0m"
_DIM = "\x1b[2m"
_COLOURS = {
    Decision.ACCEPT: "\x1b[32m",
    Decision.DEFER: "\x1b[33m",
    Decision.REJECT: "\x1b[31m",
    Decision.ABORTED: "\x1b[35m",
}


def text_transaction(outcome: Outcome, *, colour: bool) -> bytes:
    """One transaction: time, decision, size, time taken, from and to, reply, who and which."""
    first = clean(outcome.recipients[0].forward_path) if outcome.recipients else "-"
    more = f" +{len(outcome.recipients) - 1}" if len(outcome.recipients) > 1 else ""
    decision = f"{outcome.decision:<7}"
    details = f"{outcome.reason} {clean(outcome.client)} {clean(outcome.id)}"
    if colour:
        decision = f"{_COLOURS[outcome.decision]}{decision}{_RESET}"
        details = f"{_DIM}{details}{_RESET}"
    return (
        f"{_clock_time(outcome.ended_at)} {decision} {octets(outcome.octets):>8}"
        f" {outcome.receive_seconds + outcome.relay_seconds:7.3f} s "
        f" <{clean(outcome.reverse_path)}> -> <{first}>{more}  {clean(outcome.reply)}  {details}\n"
    ).encode("utf-8", "replace")


def text_event(now: float, name: str, values: Mapping[str, object], *, colour: bool) -> bytes:
    """Any other event: time, name, key=value; a traceback follows, each line set off."""
    words = " ".join(f"{key}={_quoted(value)}" for key, value in values.items() if key != "traceback")
    shown = f"\x1b[1m{clean(name)}{_RESET}" if colour else clean(name)
    lines = [f"{_clock_time(now)} {shown} {words}".rstrip()]
    if "traceback" in values:
        lines += [f"    | {clean(line)}" for line in str(values["traceback"]).splitlines()]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def clean(text: str) -> str:
    """Text that a terminal may see: controls, surrogates and bidirectional overrides become U+FFFD."""
    text = text[:MAX_VALUE]
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def octets(count: int) -> str:
    """A size for people: ``340 B``, ``10.2 KB``, ``36.0 MB`` (of 1024)."""
    if count < 1024:
        return f"{count} B"
    kib = count / 1024
    return f"{kib:.1f} KB" if kib < 1024 else f"{kib / 1024:.1f} MB"


def _clock_time(unix: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(unix))


def _quoted(value: object) -> str:
    text = clean(str(value))
    if text and not set(text) & set(' "='):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
