"""The health check of the gateway's container, run as it stands in the template."""

from __future__ import annotations

import asyncio
import shutil
import socket

import pytest

from mxgw.observe import State
from tests.ecs.template_reading import SERVICE, read
from tests.observe.test_http_door import Program, door

_TASK = read(SERVICE)["Resources"]["TaskDefinition"]["Properties"]
HEALTH_CHECK = _TASK["ContainerDefinitions"][0]["HealthCheck"]


async def verdict(port: int) -> int:
    """The exit code of the command where the program listens at ``port`` instead of 8080."""
    kind, program, *arguments = HEALTH_CHECK["Command"]
    assert kind == "CMD"
    assert arguments[-1].count("8080") == 1
    arguments[-1] = arguments[-1].replace("8080", str(port))
    python = shutil.which(program)
    assert python
    process = await asyncio.create_subprocess_exec(python, *arguments, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


@pytest.mark.parametrize("state", [State.READY, State.DRAINING])
async def test_a_program_that_lives_is_healthy_even_while_it_drains(state: State) -> None:
    async with door(Program(state)) as (_, port):
        assert await verdict(port) == 0


async def test_a_program_that_does_not_answer_is_not() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))

        assert await verdict(closed.getsockname()[1]) != 0


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n\r\n200 ", b""]
)
async def test_a_program_that_answers_anything_else_is_not(answer: bytes) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        assert await verdict(server.sockets[0].getsockname()[1]) != 0


def test_the_command_waits_no_longer_than_ecs_does() -> None:
    # The socket's own time-out ends it first, so that ECS sees a verdict rather than a kill.
    assert "8080), 3)" in HEALTH_CHECK["Command"][-1]
    assert HEALTH_CHECK["Timeout"] > 3
