"""Reads what a reference names from AWS. The only module that asks botocore for something."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from threading import Lock
from typing import Any

from mxgw.aws.refusals import NO_REGION, NOT_INSTALLED, refusal
from mxgw.config import Fetch, Parameter, Reference, Secret

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
ATTEMPTS = 3
"""Both services answer within a tenth of a second. With three attempts a start that cannot succeed is over
in half a minute; throttling ends sooner as a rule."""


class AwsReader:
    """Reads parameters and secrets; usable from several threads, by one process (it keeps connections).

    Region: that of a secret's ARN, else AWS_REGION as in all of AWS's SDKs but this one, else what botocore
    finds (AWS_DEFAULT_REGION, the profile). Credentials: what botocore finds, so the role of a task.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._lock = Lock()
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}

    def round(self) -> Fetch:
        """A function that reads references, each secret once: its parts are then of the same version."""
        seen: dict[str, str] = {}

        def fetch(reference: Reference) -> str:
            if isinstance(reference, Parameter):
                return self._read(reference)
            if reference.id not in seen:
                seen[reference.id] = self._read(reference)
            return part(seen[reference.id], reference.key)

        return fetch

    def close(self) -> None:
        """Close the connections; the next reading opens new ones."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def region(self, reference: Reference) -> str:
        """Where it is kept. Raises ValueError where no region is known."""
        named = reference.region if isinstance(reference, Secret) else ""
        found = named or self._environ.get("AWS_REGION") or self._opened().get_config_variable("region")
        if not found:
            raise ValueError(NO_REGION)
        return str(found)

    def _read(self, reference: Reference) -> str:
        """The whole value. Raises ValueError with a reason that never repeats it."""
        # Sessions and the making of clients are not safe in threads, and nobody is in a hurry here.
        with self._lock:
            try:
                import botocore.exceptions as failures  # type: ignore[import-untyped]
            except ModuleNotFoundError:
                raise ValueError(NOT_INSTALLED) from None
            region = "AWS"
            try:
                region = self.region(reference)
                return self._ask(reference, region)
            except (failures.BotoCoreError, failures.ClientError, OSError) as error:
                raise ValueError(refusal(error, reference, region)) from None

    def _ask(self, reference: Reference, region: str) -> str:
        if isinstance(reference, Parameter):
            answer = self._client("ssm", region).get_parameter(Name=reference.name, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        answer = self._client("secretsmanager", region).get_secret_value(SecretId=reference.id)
        if "SecretString" in answer:
            return str(answer["SecretString"])
        try:
            return bytes(answer["SecretBinary"]).decode()
        except UnicodeDecodeError:
            raise ValueError("the secret is binary; put it as text (--secret-string)") from None

    def _opened(self) -> Any:
        if self._session is None:
            import botocore.session  # type: ignore[import-untyped]

            self._session = botocore.session.get_session()
        return self._session

    def _client(self, service: str, region: str) -> Any:
        client = self._clients.get((service, region))
        if client is None:
            from botocore.config import Config  # type: ignore[import-untyped]

            limits = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            )
            client = self._opened().create_client(service, region_name=region, config=limits)
            self._clients[service, region] = client
        return client


def part(value: str, key: str) -> str:
    """The text under a key of a secret that is a JSON object; all of it for "". Raises ValueError."""
    if not key:
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("a key is named behind #, and the secret is no JSON") from None
    match found:
        case {**texts} if isinstance(text := texts.get(key), str):
            return text
        case {}:
            raise ValueError(f"the JSON of the secret has no text under the key {key}")
        case _:
            raise ValueError("a key is named behind #, and the secret is no JSON object")
