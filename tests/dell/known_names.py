"""A resolver at 127.0.0.1:53, or at the address given, that knows the sender of the whole way alone."""

from __future__ import annotations

import asyncio
import sys

from tests.rig.zone import Zone, ZoneServer

ADDRESS = "203.0.113.5"
ZONE = Zone(
    {
        "example.net": {
            "TXT": [f"v=spf1 ip4:{ADDRESS} -all"],
            "MX": [(10, "mx.example.net")],
            "A": [ADDRESS],
        },
        "_dmarc.example.net": {"TXT": ["v=DMARC1; p=reject"]},
        "mx.example.net": {"A": [ADDRESS]},
        "5.113.0.203.in-addr.arpa": {"PTR": ["mx.example.net"]},
    }
)


async def serve(host: str) -> None:
    async with ZoneServer(ZONE, port=53, host=host):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"))
