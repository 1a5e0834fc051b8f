"""A wire between two TUN devices that holds each packet back: ``python delay.py MS NAME NAME``.

Run by link.py. Kernels without the netem queueing discipline have TUN devices more often than not, and a
program in the middle does what netem does: it keeps the order, and delays each packet by the same time.
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
PACKET_OCTETS = 65536


def open_device(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def main() -> None:
    seconds = float(sys.argv[1]) / 1000
    ends = [open_device(name) for name in sys.argv[2:4]]
    print("ready", flush=True)
    waiting: collections.deque[tuple[float, int, bytes]] = collections.deque()
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable = select.select(ends, [], [], pause)[0]
        now = time.monotonic()
        for end in readable:
            other = ends[1] if end == ends[0] else ends[0]
            try:
                while True:
                    waiting.append((now + seconds, other, os.read(end, PACKET_OCTETS)))
            except BlockingIOError:
                pass
        while waiting and waiting[0][0] <= time.monotonic():
            _, other, packet = waiting.popleft()
            # The device is not up yet, or full: packets get lost on real wires too.
            with contextlib.suppress(OSError):
                os.write(other, packet)


if __name__ == "__main__":
    main()
