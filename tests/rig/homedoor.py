"""The other program under test: ``mxgw serve home`` as a child process."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence

from tests.rig.gateway import PROGRAM, Gateway


class HomeDoor(Gateway):
    """The door at home, before a mailbox server and beside a scanner. ``environ`` as for Gateway.

    It answers in the name of home.example.jp, and knows the edge as mx.example.jp.
    """

    def __init__(self, home: str, *, rspamd: str, wrapper: Sequence[str] = (), **environ: str) -> None:
        settings = {
            "hostname": "home.example.jp",
            "authserv_id": "mx.example.jp",
            "rspamd": rspamd,
            "edge_from": "127.0.0.0/8",
        }
        super().__init__(home, wrapper=wrapper, **{**settings, **environ})

    def start(self) -> None:
        began = time.monotonic()
        with self._errors_path.open("ab") as errors:
            self._process = subprocess.Popen(
                [*self._wrapper, str(PROGRAM), "serve", "home"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environ,
                cwd=self._place.path,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.lmtp = self._listening("lmtp")
        self.start_seconds = time.monotonic() - began

    @property
    def url(self) -> str:
        """What MXGW_HOME of an edge says."""
        return f"lmtp://{self.lmtp[0]}:{self.lmtp[1]}"
