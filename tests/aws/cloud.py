"""AWS on loopback: moto's server with real requests to it, and an AWS that refuses everything."""

from __future__ import annotations

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Iterator, Mapping
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

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

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
        # moto keeps one cloud for the whole process.
        urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", data=b"").close()
        yield Cloud(f"http://{host}:{port}")
    finally:
        server.stop()


class RefusingCloud:
    """Answers every request with one error, as AWS words it; counts them. ``hangs``: it never answers."""

    def __init__(self, code: str, message: str = "", *, hangs: bool = False) -> None:
        self.code = code
        self.requests = 0
        self._released = threading.Event()
        if not hangs:
            self._released.set()
        cloud = self
        body = json.dumps({"__type": code, "message": message}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                cloud.requests += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                cloud._released.wait(60)
                self.send_response(400)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
