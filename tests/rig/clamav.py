"""The virus scanner as it is: Debian's clamd, which knows one virus (the EICAR test file)."""

from __future__ import annotations

import contextlib
import socket

from tests.rig.process import Child, Service, Workplace, find_program, free_port, need_root

OWNER = "clamav"

# In two pieces, so that no scanner takes this file for infected.
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

CONFIGURATION = """\
Foreground yes
LogFile {dir}/log/clamd.log
DatabaseDirectory {dir}/db
TCPSocket {port}
TCPAddr 127.0.0.1
User {owner}
MaxScanSize 100M
MaxFileSize 50M
StreamMaxLength 50M
"""

RSPAMD = """\
clamav {{
  type = "clamav";
  servers = "127.0.0.1:{port}";
  symbol = "CLAM_VIRUS";
  action = "reject";
  message = "virus found";
  # The whole message: with its parts only attachments are looked at, and a plain text asks nobody.
  scan_mime_parts = false;
  max_size = 52428800;
  timeout = 5;
  force = true;
}}
"""


class Clamd(Service):
    """A virus scanner on a loopback port. ``antivirus_conf`` makes Rspamd ask it."""

    def __init__(self) -> None:
        need_root("clamd changes its user")
        program = find_program("clamd", package="clamav-daemon")
        self.port = free_port()
        self._place = Workplace()
        self._configuration = self._place.path / "clamd.conf"
        self.child = Child([program, "-c", str(self._configuration)], words=self._place.path / "words")

    @property
    def antivirus_conf(self) -> dict[str, str]:
        """For Rspamd's local.d."""
        return {"local.d/antivirus.conf": RSPAMD.format(port=self.port)}

    def start(self) -> None:
        self._place.directory("log", owner=OWNER)
        signature = f"Test.Eicar:0:*:{EICAR.encode().hex()}\n"
        self._place.file("db/test.ndb", signature)
        text = CONFIGURATION.format(dir=self._place.path, port=self.port, owner=OWNER)
        self._place.file("clamd.conf", text)
        self.child.start(self._pongs)

    def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()

    def close(self) -> None:
        self.child.stop()
        self._place.remove()

    def _pongs(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as wire:
            wire.sendall(b"zPING\0")
            return wire.recv(16).startswith(b"PONG")
        return False
