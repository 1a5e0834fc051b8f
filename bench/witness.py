"""What a gateway wrote about a message: so that a reader sees that the same work was done."""

from __future__ import annotations

import email.parser
import email.policy
import tempfile
from pathlib import Path

from bench.accounting import open_account
from bench.gateways import Gateway
from bench.harness import Sink, send
from bench.loads import Load

FIELDS = ("authentication-results", "received-spf")
SPARE_SECONDS = 20.0


def trace_of(gateway: Gateway, load: Load, *, method: str | None) -> list[str]:
    """The fields about authentication in one message that the gateway passed on, top first, unfolded."""
    with tempfile.TemporaryDirectory(prefix="mxgw-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        kept = directory / "kept"
        kept.mkdir()
        kept.chmod(0o777)  # the sink gives up its privileges
        harness, subject = open_account("harness", method=method), open_account("gateway", method=method)
        sink = program = None
        try:
            sink = Sink(gateway.next_hop, account=harness, directory=directory, kept=kept)
            program, port = gateway.start(sink_port=sink.port, account=subject, directory=directory)
            send(load.with_sessions(1).with_messages(1), port=port, account=harness)
            sink.settle(1, patience=SPARE_SECONDS)
            return _fields(kept)
        finally:
            if program is not None:
                program.stop()
            if sink is not None:
                sink.stop()
            subject.close()
            harness.close()


def _fields(kept: Path) -> list[str]:
    files = sorted(kept.iterdir())
    if not files:
        return ["no message arrived"]
    # smtp-sink puts lines of its own about the transaction before the message, named X-..., in the same form.
    message = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(files[0].read_bytes())
    found = [(key, str(value)) for key, value in message.items() if key.lower() in FIELDS]
    return [f"{key}: {' '.join(value.split())}" for key, value in found] or ["no field"]
