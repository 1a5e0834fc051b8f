"""Twenty senders of the largest attachments at once, on what a task gives the gateway."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.image.conftest import TAG, Task
from tests.image.container import Container
from tests.image.engine import Engine
from tests.load.sinks import RunningSink

Record = Callable[[str, object], None]

MIB = 1024 * 1024
SENDERS = 20
# 25 MB in base64: 4 octets for 3, and CRLF after each 76 of them.
ATTACHMENT_OCTETS = 25_000_000 * 4 // 3 * 78 // 76
SECONDS = 300.0
SAMPLE_SECONDS = 0.2
MXGW = str(Path(sys.executable).with_name("mxgw"))


def load(*words: str) -> dict[str, Any]:
    """What a command of ``mxgw load`` prints, which ends with exit code 0."""
    done = subprocess.run([MXGW, "load", *words], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"mxgw load {' '.join(words)}:\n{done.stdout}{done.stderr}"
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@contextmanager
def memory_watched(container: Container) -> Iterator[list[int]]:
    """The octets that its programs take, looked at again and again."""
    seen = [container.program_octets()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(SAMPLE_SECONDS):
            seen.append(container.program_octets())

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield seen
    finally:
        over.set()
        watch.join()


def test_twenty_senders_of_25_mb_attachments_lose_nothing_within_the_limits_of_the_task(
    engine: Engine, task: Task, tmp_path: Path, record_property: Record
) -> None:
    sent = tmp_path / "sent.jsonl"
    with (
        RunningSink(lmtp=True) as sink,
        engine.run(TAG, options=task.loopback, home=sink.url) as container,
    ):
        host, port = container.door("smtp")
        with memory_watched(container) as seen:
            figures = load(
                *("send", f"{host}:{port}", "--json", f"--ledger={sent}", "--to=taro@example.jp", "--tls"),
                *(f"--sessions={SENDERS}", f"--messages={SENDERS}", f"--size={ATTACHMENT_OCTETS}"),
                f"--timeout={SECONDS}",
            )
        peak = int(container.status()["VmHWM"].split()[0]) * 1024
        cpu = container.cpu_seconds()
        killed = container.killed_for_memory()
        assert container.stop() == 0
        sink.stop()
        verdict = load("verify", str(sent), f"--sink={sink.ledger}")

    limit = task.container["Memory"] * MIB
    most = f"{max(seen) / MIB:.0f} MiB, {peak / MIB:.0f} MiB with its files, of {limit / MIB:.0f}"
    print(
        f"\n{SENDERS} senders of 25 MB: {figures['seconds']:.0f} s, {cpu:.1f} s of processor time; "
        f"the program's memory: at most {most}"
    )
    record_property("peak_program_mib", round(max(seen) / MIB))
    assert not killed
    assert verdict["acknowledged"] == verdict["copies"] == SENDERS
    assert (verdict["lost"], verdict["altered"], verdict["duplicated"]) == (0, 0, 0)
    assert max(seen) < limit / 2
