"""Whether Postfix sends for anybody who comes from another network.

Run in a network namespace of its own (``unshare --net``), where every address can be ours. Prints the replies
that strangers got, and what the relay took, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.dell.sending_house import SendingHouse

SOURCES = {
    "loopback": "127.0.0.1",
    "Docker's default bridge": "172.17.0.1",
    "a network of Compose": "172.20.0.1",
    "the stack's own network": "10.129.72.1",
    "another container": "10.129.72.9",
    "the house": "192.168.1.39",
    "the link": "169.254.7.7",
    "Tailscale": "100.101.102.103",
    "the internet": "203.0.113.7",
}
ENVELOPES = (
    ("taro@example.jp", "victim@example.net"),
    ("x@example.net", "victim@example.net"),
    ("", "victim@example.net"),
    ("taro@example.jp", "hanako@example.jp"),
)


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in SOURCES.values():
        if not address.startswith("127."):
            subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    replies: list[tuple[str, str, int]] = []
    with (
        tempfile.TemporaryDirectory() as directory,
        SendingHouse(Path(directory), scan=False, listen="0.0.0.0") as house,
    ):
        Path(directory).chmod(0o755)
        for name, source in SOURCES.items():
            for implicit in (False, True):
                with house.connect(implicit=implicit, source=source, target=source) as client:
                    for sender, recipient in ENVELOPES:
                        client.mail(sender)
                        code, _ = client.rcpt(recipient)
                        replies.append((name, f"{sender}>{recipient}", code))
                        client.rset()
        report = {
            "replies": replies,
            "relayed": len(house.relay.taken),
            "queued": house.postfix.waiting(),
            "seen": sorted({source for source in SOURCES.values() if f"[{source}]" in house.postfix.log()}),
        }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
