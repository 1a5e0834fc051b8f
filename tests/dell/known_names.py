"""A resolver at 127.0.0.1:53 that knows the sender of the whole way, and nobody else."""

from __future__ import annotations

import asyncio

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


async def serve() -> None:
    async with ZoneServer(ZONE, port=53):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
