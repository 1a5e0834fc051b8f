"""Two balancers before the edges: HAProxy with PROXY headers, and a route that keeps the client's address.

Both ask /readyz as the template has its load balancer do it, only oftener, and leave standing connections
alone when an edge is taken out.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import threading

from tests.balancer.streets import (
    BALANCER,
    EDGES,
    HTTP_PORT,
    PUBLIC_ADDRESS,
    SMTP_PORT,
    Streets,
    edge_address,
)
from tests.rig.process import Child, Service, Workplace, answers, find_program

CHECK_SECONDS = 0.3
CHECK_TIMEOUT_SECONDS = 2.0
THRESHOLD = 2
"""Equal answers in a row that change its mind, as in the template."""

HAPROXY = f"""\
global
    log stdout format raw local0 notice
    maxconn 500
defaults
    mode tcp
    log global
    retries 2
    option redispatch 1
    timeout connect 2s
    timeout client 350s
    timeout server 350s
listen smtp
    bind {PUBLIC_ADDRESS}:25
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check port {HTTP_PORT} inter {CHECK_SECONDS * 1000:.0f}ms fall {THRESHOLD} rise {THRESHOLD}
    default-server send-proxy-v2
""" + "".join(f"    server {edge} {edge_address(edge)}:{SMTP_PORT}\n" for edge in EDGES)

_VERDICT = re.compile(r"Server smtp/(\w+) is (UP|DOWN)")


class Balancer(Service):
    """What the tests ask of both."""

    def serving(self) -> set[str]:
        """The edges that get new connections now."""
        raise NotImplementedError


class HaProxy(Balancer):
    """Takes connections itself, and tells the edges with a PROXY header (version 2) who is there."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        self._place = Workplace()
        configuration = self._place.file("haproxy.cfg", HAPROXY)
        program = find_program("haproxy", package="haproxy")
        self.child = Child(
            [*streets.into(BALANCER), program, "-db", "-f", str(configuration)],
            words=self._place.path / "words",
        )

    def start(self) -> None:
        self.child.start(
            lambda: answers(25, PUBLIC_ADDRESS, make_socket=lambda: self._streets.socket(BALANCER))
        )

    def close(self) -> None:
        self.child.stop()
        self._place.remove()

    def serving(self) -> set[str]:
        verdicts = dict.fromkeys(EDGES, "UP") | dict(_VERDICT.findall(self.child.said()))
        return {edge for edge, verdict in verdicts.items() if verdict == "UP"}


class PlainRoute(Balancer):
    """Rewrites where a connection goes, never where it comes from: a network load balancer with IP targets.

    The kernel picks an edge for each new connection, and remembers it until the connection ends.
    """

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        self._restore = find_program("iptables-restore", package="iptables")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._serving: set[str] = set(EDGES)

    def start(self) -> None:
        self._route(self._serving)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(20)

    def serving(self) -> set[str]:
        return self._serving

    def _route(self, edges: set[str]) -> None:
        """One rule for each edge; the first takes its share of the connections, the last what is left."""
        rules = ["*nat", ":PREROUTING ACCEPT", ":INPUT ACCEPT", ":OUTPUT ACCEPT", ":POSTROUTING ACCEPT"]
        for left, edge in zip(range(len(edges), 0, -1), sorted(edges), strict=True):
            share = f"-m statistic --mode random --probability {1 / left:.4f}" if left > 1 else ""
            target = f"-j DNAT --to-destination {edge_address(edge)}:{SMTP_PORT}"
            rules.append(f"-A PREROUTING -d {PUBLIC_ADDRESS} -p tcp --dport 25 {share} {target}")
        subprocess.run(
            [*self._streets.into(BALANCER), self._restore],
            input="\n".join([*rules, "COMMIT", ""]),
            text=True,
            check=True,
            capture_output=True,
        )

    def _watch(self) -> None:
        opposed = dict.fromkeys(EDGES, 0)
        with self._streets.inside(BALANCER):
            while not self._stop.wait(CHECK_SECONDS):
                for edge in EDGES:
                    changed = (readiness(edge) == 200) != (edge in self._serving)
                    opposed[edge] = opposed[edge] + 1 if changed else 0
                    if opposed[edge] == THRESHOLD:
                        opposed[edge] = 0
                        self._route(self._serving ^ {edge})
                        self._serving = self._serving ^ {edge}


def readiness(edge: str) -> int:
    """What an edge's /readyz says to who stands at the balancer; 0 where nobody answers."""
    connection = http.client.HTTPConnection(edge_address(edge), HTTP_PORT, timeout=CHECK_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
