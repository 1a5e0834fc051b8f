"""A resolver at 127.0.0.1:53 that knows no name: every question is answered NXDOMAIN, at once."""

from __future__ import annotations

import socketserver
import struct

NXDOMAIN = 0x8183


class Answer(socketserver.BaseRequestHandler):
    """One question over UDP."""

    def handle(self) -> None:
        data, socket = self.request
        name, end = data[12:], 0
        while name[end]:
            end += name[end] + 1
        head = data[:2] + struct.pack("!5H", NXDOMAIN, 1, 0, 0, 0)
        socket.sendto(head + name[: end + 5], self.client_address)


if __name__ == "__main__":
    with socketserver.ThreadingUDPServer(("127.0.0.1", 53), Answer) as server:
        print("ready", flush=True)
        server.serve_forever()
