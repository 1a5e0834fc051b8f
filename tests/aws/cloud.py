"""AWS on loopback: moto's server with real requests to it, and an AWS that refuses everything."""

from __future__ import annotations

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import boto3
from moto.server import ThreadedMotoServer

from tests.rig.process import free_port

REGION = "ap-northeast-1"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
NOTHING_OF_THE_MACHINE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def environment(endpoint: str, *, keys: Mapping[str, str] = KEYS, region: str = REGION) -> dict[str, str]:
    """What a task has in its environment, but for where AWS is."""
    named = {"AWS_REGION": region} if region else {}
    return {**NOTHING_OF_THE_MACHINE, "AWS_ENDPOINT_URL": endpoint, **named, **keys}


class Cloud:
    """An account at moto's server."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.endpoint = f"http://{address}"

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of the administrator."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="admin",
            aws_secret_access_key="admin",
        )

    def put_parameter(self, name: str, value: str, kind: str = "String") -> None:
        """Make it, or change it."""
        self.client("ssm").put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)

    def put_secret(self, name: str, value: str | bytes | Mapping[str, str]) -> str:
        """Make it, or give it a new value; its ARN."""
        client = self.client("secretsmanager")
        known = [entry["Name"] for entry in client.list_secrets()["SecretList"]]
        if name not in known:
            client.create_secret(Name=name)
        match value:
            case bytes():
                said = client.put_secret_value(SecretId=name, SecretBinary=value)
            case str():
                said = client.put_secret_value(SecretId=name, SecretString=value)
            case _:
                said = client.put_secret_value(SecretId=name, SecretString=json.dumps(value))
        return str(said["ARN"])

    def enforce_iam(self, *, after_requests: str) -> None:
        """Permissions count after so many more requests, "0" or "inf"."""
        self.tell_moto("reset-auth", after_requests)

    def tell_moto(self, command: str, text: str = "") -> None:
        """What only a stand-in understands."""
        plain = {"Content-Type": "text/plain"}
        url = f"http://{self._address}/moto-api/{command}"
        urllib.request.urlopen(urllib.request.Request(url, text.encode(), plain)).close()

    def environment(self) -> dict[str, str]:
        """For a program of this account."""
        return environment(self.endpoint)


@contextmanager
def empty_cloud() -> Iterator[Cloud]:
    """An account in which there is nothing yet."""
    # A line for each request would hide what a failed test says.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        cloud = Cloud(f"{host}:{port}")
        # moto keeps one cloud for the whole process.
        cloud.tell_moto("reset")
        yield cloud
    finally:
        server.stop()


class _Local:
    """An HTTP server on loopback that answers as ``answer`` says: status, content type, body."""

    def __init__(self, answer: Callable[[], tuple[int, str, bytes]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def do_GET(self) -> None:
                status, kind, body = answer()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class RefusingCloud:
    """Answers every request with one error, as AWS words it; counts them."""

    def __init__(self, code: str, message: str = "") -> None:
        self._body = json.dumps({"__type": code, "message": message}).encode()
        self._local = _Local(self._answer)
        self.endpoint = self._local.endpoint
        self.requests = 0

    def __enter__(self) -> Self:
        self._local.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._local.stop()

    def _answer(self) -> tuple[int, str, bytes]:
        self.requests += 1
        return 400, "application/x-amz-json-1.1", self._body


class TaskRole:
    """The place in a task where its role's credentials are; its address is what ``with`` gives."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self._local = _Local(lambda: (200, "application/json", json.dumps(credentials).encode()))

    def __enter__(self) -> str:
        self._local.start()
        return f"{self._local.endpoint}/role"

    def __exit__(self, *_: object) -> None:
        self._local.stop()
