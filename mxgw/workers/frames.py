"""Frames on the channel between supervisor and worker: four octets of length, then JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

MAX_FRAME_OCTETS = 16 * 1024 * 1024
"""A snapshot with 200 transactions takes 100 KB; this only ends a conversation that went wrong."""

Frame: TypeAlias = Mapping[str, Any]


def encode(frame: Frame) -> bytes:
    """The octets of one frame."""
    body = json.dumps(frame, separators=(",", ":")).encode("ascii")
    return len(body).to_bytes(4) + body


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None at the end of the channel. Raises ValueError or TypeError on what is no frame."""
    try:
        length = int.from_bytes(await reader.readexactly(4))
        if length > MAX_FRAME_OCTETS:
            raise ValueError(f"a frame of {length} octets")
        frame = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    if not isinstance(frame, dict):
        raise TypeError("a frame is an object")
    return frame
