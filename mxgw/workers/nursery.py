"""The process that forks workers: it has no loop and no thread, so that it may fork at any time.

It also reaps them and tells how each ended. It ends when the supervisor does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeAlias

from mxgw.workers.link import Address, ChildLink

CRASHED = 70
"""EX_SOFTWARE of sysexits(3): a worker's exit code after an exception that nobody caught."""

NURSERY_GONE = -1000
"""In place of an exit code: nobody could tell."""

MAX_ORDER_OCTETS = 4096

Child: TypeAlias = Callable[[ChildLink], int]


@dataclass(frozen=True, slots=True)
class Newborn:
    """A worker that was forked: ``died`` will hold its exit code, or the negative signal that ended it."""

    pid: int
    channel: socket.socket
    died: asyncio.Future[int]


@dataclass(frozen=True, slots=True)
class _Life:
    pid: int
    died: asyncio.Future[int]


class Nursery:
    """The supervisor's handle on the nursery. ``lost`` is done when the nursery is gone unasked."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self._control = control
        self._expected: deque[asyncio.Future[_Life | None]] = deque()
        self._alive: dict[int, _Life] = {}
        self.lost: asyncio.Future[None] | None = None

    @classmethod
    def start(cls, child: Child, *, unwanted: Iterable[socket.socket] = ()) -> Nursery:
        """Fork the nursery, before any loop or thread exists. It closes its copies of ``unwanted``."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for each in unwanted:
                each.close()
            _leave(partial(_nurse, theirs, child))
        theirs.close()
        return cls(pid, ours)

    def attach(self) -> None:
        """Hear what the nursery tells, on the running loop."""
        loop = asyncio.get_running_loop()
        self.lost = loop.create_future()
        self._control.setblocking(False)
        loop.add_reader(self._control, self._hear)

    async def fork(self, index: int, address: Address) -> Newborn | None:
        """A new worker; None where the nursery is gone."""
        ours, theirs = socket.socketpair()
        born: asyncio.Future[_Life | None] = asyncio.get_running_loop().create_future()
        self._expected.append(born)
        order = json.dumps({"fork": index, "address": address}).encode()
        try:
            socket.send_fds(self._control, [order], [theirs.fileno()])
        except OSError:
            self._end()
        theirs.close()
        life = await born
        if life is None:
            ours.close()
            return None
        return Newborn(life.pid, ours, life.died)

    def kill(self, pid: int) -> None:
        """End a worker that does not end by itself. The nursery does it: it knows whose a PID still is."""
        if pid not in self._alive:
            return
        try:
            self._control.send(json.dumps({"kill": pid}).encode())
        except OSError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """End the nursery, after its workers."""
        if self.lost is not None:
            asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        os.waitpid(self.pid, 0)

    def _hear(self) -> None:
        try:
            told = self._control.recv(MAX_ORDER_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            told = b""
        if not told:
            self._end()
            return
        news = json.loads(told)
        if "born" in news:
            life = _Life(news["born"], asyncio.get_running_loop().create_future())
            self._alive[life.pid] = life
            self._expected.popleft().set_result(life)
        else:
            self._alive.pop(news["died"]).died.set_result(news["code"])

    def _end(self) -> None:
        """The nursery is gone: from now on we see for ourselves when its workers end."""
        if self.lost is None or self.lost.done():
            return
        self.lost.set_result(None)
        asyncio.get_running_loop().remove_reader(self._control)
        for born in self._expected:
            born.set_result(None)
        self._expected.clear()
        for life in [*self._alive.values()]:
            self._watch(life)

    def _watch(self, life: _Life) -> None:
        try:
            descriptor = os.pidfd_open(life.pid)
        except OSError:
            self._ended_unseen(life)
            return
        asyncio.get_running_loop().add_reader(descriptor, self._ended_unseen, life, descriptor)

    def _ended_unseen(self, life: _Life, descriptor: int | None = None) -> None:
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
        del self._alive[life.pid]
        life.died.set_result(NURSERY_GONE)


def _nurse(control: socket.socket, child: Child) -> int:
    """The nursery's life: obey orders, report deaths, until the supervisor is gone."""
    # The supervisor decides when workers end; a Ctrl-C reaches the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A handler must exist for set_wakeup_fd to be told.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    # What is there now is never garbage: a worker's collector need not touch, and so copy, the shared pages.
    gc.collect()
    gc.freeze()
    alive: set[int] = set()
    # Where the supervisor is gone, a death cannot be told any more.
    with contextlib.suppress(BrokenPipeError):
        while True:
            ready, _, _ = select.select([control.fileno(), woken], [], [])
            if woken in ready:
                os.read(woken, MAX_ORDER_OCTETS)
            for pid, code in _reap():
                alive.discard(pid)
                control.send(json.dumps({"died": pid, "code": code}).encode())
            if control.fileno() in ready:
                order, descriptors, _, _ = socket.recv_fds(control, MAX_ORDER_OCTETS, 1)
                if not order:
                    break
                said = json.loads(order)
                if said.get("kill") in alive:
                    os.kill(said["kill"], signal.SIGKILL)
                for descriptor in descriptors:
                    pid = _bear(said, descriptor, (control.fileno(), woken, wake), child)
                    alive.add(pid)
                    control.send(json.dumps({"born": pid}).encode())
    return 0


def _bear(order: Mapping[str, Any], channel: int, ours: Iterable[int], child: Child) -> int:
    """Fork a worker; its PID. ``ours`` are descriptors that it must not have."""
    pid = os.fork()
    if pid == 0:
        for descriptor in ours:
            os.close(descriptor)
        host, port = order["address"]
        link = ChildLink(order["fork"], (host, port), socket.socket(fileno=channel))
        _leave(partial(_grow_up, link, child))
    os.close(channel)
    return pid


def _grow_up(link: ChildLink, child: Child) -> int:
    """A worker's life. Until it has handlers of its own, Ctrl-C is the supervisor's business."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return child(link)


def _reap() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def _leave(life: Callable[[], int]) -> NoReturn:
    """Live and exit, without ever going back into the stack that was forked."""
    code = CRASHED
    try:
        code = life()
    except BaseException:  # noqa: BLE001 - the last frame of a process: nobody above could hear of it
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or CRASHED
        os._exit(code)
