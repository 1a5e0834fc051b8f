"""The DNS of the senders: unbound with all answers in its configuration, as a local resolver knows them.

It listens on port 53 of a loopback address of its own, because some peers can ask no other port. It is in
an account of its own: its CPU time is neither the gateway's nor the harness's.
"""

from __future__ import annotations

import random
import socket
import time
from ipaddress import IPv4Network
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.accounting import open_account
from bench.loads import CLIENTS, HELO, SENDER_DOMAIN
from bench.processes import BenchError, Program
from bench.unpacked import UNBOUND
from mxgw.load.signing import Algorithm, SigningKey

SPF_DOMAIN = f"_spf.{SENDER_DOMAIN}"
TTL_SECONDS = 3600
START_SECONDS = 10.0
_STRING_OCTETS = 255

_QUESTION = (
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    + b"".join(bytes([len(label)]) + label.encode() for label in [*SENDER_DOMAIN.split("."), ""])
    + b"\x00\x10\x00\x01"
)


def records(key: SigningKey) -> list[str]:
    """Lines as in a zone file: what the senders' domain publishes, and the names of its clients."""
    txt = {
        SENDER_DOMAIN: f"v=spf1 ip4:203.0.113.0/24 a:www.{SENDER_DOMAIN} include:{SPF_DOMAIN} mx -all",
        SPF_DOMAIN: f"v=spf1 ip4:192.0.2.0/24 ip4:{CLIENTS} ~all",
        f"_dmarc.{SENDER_DOMAIN}": f"v=DMARC1; p=reject; rua=mailto:dmarc@{SENDER_DOMAIN}",
        key.record_name: key.record_text,
    }
    lines = [f"{name}. {TTL_SECONDS} IN TXT {_strings(text)}" for name, text in txt.items()]
    lines.append(f"{SENDER_DOMAIN}. {TTL_SECONDS} IN MX 10 {HELO}.")
    lines += [f"{name}.{SENDER_DOMAIN}. {TTL_SECONDS} IN A 203.0.113.5" for name in ("www", "out")]
    for address in IPv4Network(CLIENTS).hosts():
        name = f"client-{str(address).replace('.', '-')}.{SENDER_DOMAIN}."
        lines.append(f"{address.reverse_pointer}. {TTL_SECONDS} IN PTR {name}")
        lines.append(f"{name} {TTL_SECONDS} IN A {address}")
    return lines


def _strings(text: str) -> str:
    return " ".join(f'"{text[at : at + _STRING_OCTETS]}"' for at in range(0, len(text), _STRING_OCTETS))


class ZoneServer:
    """``with ZoneServer(directory) as zone``: ``zone.address`` answers; ``zone.signing_key`` is published."""

    def __init__(self, directory: Path, *, method: str | None) -> None:
        self.signing_key = directory / "dkim.pem"
        self.address = f"127.{random.randint(2, 250)}.{random.randint(0, 250)}.{random.randint(2, 250)}"
        self.key = SigningKey.kept(SENDER_DOMAIN, Algorithm.RSA, self.signing_key)
        self._directory = directory
        self._method = method

    @staticmethod
    def missing() -> str:
        """Why it cannot run here; "" if it can."""
        return UNBOUND.missing()

    def configuration(self, address: str) -> str:
        """unbound.conf of a server that answers on port 53 of the address."""
        soa = f"local-data: '. {TTL_SECONDS} IN SOA ns.invalid. root.invalid. 1 3600 600 86400 {TTL_SECONDS}'"
        lines = [
            "server:",
            f"interface: {address}",
            "access-control: 0.0.0.0/0 allow",
            "do-ip6: no",
            "num-threads: 1",
            "use-syslog: no",
            'username: ""',
            'chroot: ""',
            'pidfile: ""',
            'directory: "/"',
            "module-config: iterator",
            'local-zone: "." static',
            soa,
            *(f"local-data: '{line}'" for line in records(self.key)),
        ]
        return "\n".join([*lines, ""])

    def __enter__(self) -> Self:
        configuration = self._directory / "unbound.conf"
        configuration.write_text(self.configuration(self.address))
        self.account = open_account("dns", method=self._method)
        argv = ["/usr/sbin/unbound", "-d", "-c", str(configuration)]
        self._program = Program(
            UNBOUND.argv(argv, view=self._directory / "view", shared=self._directory),
            account=self.account,
            output=self._directory / "unbound.out",
        )
        try:
            self._wait()
        except BenchError:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._program.stop()
        self.account.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.settimeout(0.1)
                probe.connect((self.address, 53))
                try:
                    probe.send(_QUESTION)
                    if probe.recv(512)[6:8] != b"\x00\x00":
                        return
                except OSError:
                    time.sleep(0.02)
        said = (self._directory / "unbound.out").read_text(errors="replace")[-500:].strip()
        raise BenchError(f"unbound does not answer for {SENDER_DOMAIN}: {said}")
