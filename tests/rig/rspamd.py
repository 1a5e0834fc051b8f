"""The content scanner as it is: Debian's Rspamd with its own Redis, on loopback ports."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping

from tests.rig.process import (
    ROOT,
    Child,
    Service,
    Workplace,
    answers,
    find_program,
    free_port,
    need_root,
    wait_until,
)
from tests.rig.zone import Zone, ZoneServer

OWNER = "_rspamd"

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""Rspamd and SpamAssassin refuse any message that holds this line (a test pattern of all spam filters)."""

# What Rspamd compiles at its first start takes 12 s on two cores; it is kept for the next one.
COMPILED = ROOT / ".cache" / "rspamd"
FIRST_START_SECONDS = 90.0

# Symbols that a message of ours asks for in its own header, so that a test knows the score.
TEST_RULES = """\
for _, one in ipairs({{'TEST_JUNK', 7.0}, {'TEST_GREY', 4.5}, {'TEST_SPAM', 50.0}}) do
  local symbol, score = one[1], one[2]
  rspamd_config:register_symbol({
    name = symbol, score = score, group = 'test',
    callback = function(task)
      return task:get_header('X-Test') == symbol
    end,
  })
end
rspamd_config:register_symbol({
  name = 'TEST_SCANNER_DOWN', type = 'postfilter',
  callback = function(task)
    if task:get_header('X-Test') == 'SCANNER_DOWN' then
      task:set_pre_result('soft reject', 'scanner is down', 'test')
    end
  end,
})
rspamd_config:register_symbol({
  name = 'EXAMPLE_VIRUS_FAIL', score = 0.0, group = 'test',
  callback = function(task)
    return task:get_header('X-Test') == 'VIRUS_FAIL'
  end,
})
rspamd_config:register_symbol({
  name = 'EXAMPLE_VIRUS', type = 'postfilter', score = 0.0, group = 'test',
  callback = function(task)
    if task:get_header('X-Test') == 'VIRUS' then
      task:set_pre_result('reject', 'virus found', 'test')
      return true
    end
  end,
})
"""


class Redis(Service):
    """A Redis that keeps nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self._place = Workplace()
        self.child = Child(
            [
                find_program("redis-server", package="redis-server"),
                *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._place.path)),
                *("--save", "", "--appendonly", "no"),
            ],
            words=self._place.path / "words",
        )

    def start(self) -> None:
        self.child.start(lambda: answers(self.port))

    def close(self) -> None:
        self.child.stop()
        self._place.remove()


class Names(Service):
    """A Zone that answers over UDP and TCP from a thread of its own."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: ZoneServer | None = None

    def start(self) -> None:
        self._thread.start()
        self._server = ZoneServer(self._zone)
        asyncio.run_coroutine_threadsafe(self._server.__aenter__(), self._loop).result(20)
        self.address = self._server.address

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._server.__aexit__(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Rspamd(Service):
    """A scanner. ``settings`` adds files to its local.d, or replaces ours.

    A message asks for its own fate with a header field: ``X-Test: TEST_JUNK`` (7 points: add header),
    ``TEST_GREY`` (4.5: greylist), ``TEST_SPAM`` (50: reject), ``SCANNER_DOWN`` (soft reject), ``VIRUS``,
    ``VIRUS_FAIL`` (the virus scanner did not answer).
    """

    def __init__(self, settings: Mapping[str, str] | None = None, *, zone: Zone | None = None) -> None:
        need_root("Rspamd changes its user")
        program = find_program("rspamd", package="rspamd")
        self.port = free_port()
        self._place = Workplace()
        self._redis = Redis()
        self._names = Names(zone or Zone())
        self._more = dict(settings or {})
        path = self._place.path
        self.child = Child(
            [
                *(program, "-f", "-c", "/etc/rspamd/rspamd.conf", "-u", OWNER, "-g", OWNER),
                *(f"--var=LOCAL_CONFDIR={path}/local", f"--var=DBDIR={path}/db", f"--var=RUNDIR={path}/run"),
            ],
            words=path / "words",
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._redis.start()
        self._names.start()
        for name, text in {**self._files(), **self._more}.items():
            self._place.file(f"local/{name}", text)
        for name in ("db", "run", "log"):
            self._place.directory(name, owner=OWNER)
        self._take_compiled()
        self.launch()
        self._keep_compiled()

    def launch(self) -> None:
        """The program alone, again after ``kill``."""
        self.child.start(lambda: True)
        # It listens before it can do anything.
        wait_until(self._pongs, seconds=FIRST_START_SECONDS, what=f"Rspamd answers; {self.child.words}")

    def kill(self) -> None:
        """SIGKILL to all its processes."""
        self.child.kill()

    def freeze(self) -> None:
        """Stop all its processes: connections are taken by the kernel, and nobody answers."""
        os.killpg(self.child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        os.killpg(self.child.pid, signal.SIGCONT)

    def close(self) -> None:
        if self.child.running:
            self.thaw()
        self.child.stop()
        self._redis.close()
        self._names.close()
        self._place.remove()

    def log(self) -> str:
        path = self._place.path / "log" / "rspamd.log"
        return path.read_text(errors="replace") if path.exists() else self.child.said()

    def _files(self) -> dict[str, str]:
        host, _, port = self._names.address.rpartition(":")
        log = self._place.path / "log" / "rspamd.log"
        off = "enabled = false;\n"
        return {
            "local.d/worker-normal.inc": f'bind_socket = "127.0.0.1:{self.port}"; count = 1;\n',
            "local.d/worker-controller.inc": off,
            "local.d/worker-proxy.inc": off,
            "local.d/worker-fuzzy.inc": off,
            "local.d/options.inc": f'dns {{ nameserver = ["{host}:{port}"]; timeout = 1s; }}\n'
            # Clients of the tests are loopback addresses, and must count as strangers.
            "local_addrs = [192.0.2.255];\n",
            "local.d/redis.conf": f'servers = "127.0.0.1:{self._redis.port}";\n',
            "local.d/logging.inc": f'type = "file"; filename = "{log}"; level = "info";\n',
            "local.d/actions.conf": "reject = 15; add_header = 6; greylist = 4;\n",
            "local.d/greylist.conf": off,
            "local.d/fuzzy_check.conf": off,
            "local.d/rbl.conf": off,
            "local.d/surbl.conf": off,
            "local.d/hfilter.conf": off,
            # What a plain test message would get for its looks: the tests say the score themselves.
            "local.d/groups.conf": 'group "headers" { max_score = 0.1; }\n'
            'group "policies" { max_score = 0.1; }\n'
            'group "mime_types" { max_score = 0.1; }\n'
            'group "hfilter" { max_score = 0.1; }\n',
            "rspamd.local.lua": TEST_RULES,
        }

    def _pongs(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/ping")
                return connection.getresponse().read().strip() == b"pong"
            finally:
                connection.close()
        return not self.child.running

    def _take_compiled(self) -> None:
        if not COMPILED.is_dir():
            return
        with self._lock():
            for path in COMPILED.glob("*.*"):
                target = self._place.path / "db" / path.name
                shutil.copyfile(path, target)
                shutil.chown(target, OWNER, OWNER)

    def _keep_compiled(self) -> None:
        COMPILED.mkdir(parents=True, exist_ok=True)
        with self._lock():
            for pattern in ("*.unser", "*.hs", "*.hsmp", "*.map"):
                for path in (self._place.path / "db").glob(pattern):
                    if not (COMPILED / path.name).exists():
                        shutil.copyfile(path, COMPILED / path.name)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (COMPILED.parent / "rspamd.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
