"""Is the gateway alive? Asks its /livez; exit code 0 for yes, 1 for no, with a line that says why.

Run with ``python3 -I -S``: without the gateway's packages it takes 20 ms. /livez and not /readyz: a container
that drains is to be left to finish its messages.
"""

import os
import socket
import sys

SECONDS = 3.0
"""Less than the time-out of the HEALTHCHECK, so that the reason is told."""


def main() -> str:
    """What is wrong; "" for nothing."""
    host, _, port = os.environ.get("MXGW_HTTP_LISTEN", "0.0.0.0:8080").rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
    host = host.strip("[]")
    try:
        with socket.create_connection((here.get(host, host), int(port)), SECONDS) as door:
            door.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            status = door.recv(64).split(b"\r\n")[0]
    except (OSError, ValueError) as error:
        return f"no answer from {host}:{port}: {error}"
    return "" if b" 200 " in status else f"answered {status!r}"


sys.exit(main() or 0)
