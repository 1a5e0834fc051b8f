"""JSON over HTTP to a service outside: one request, and its answer or why there is none."""

from __future__ import annotations

import http.client
import json
import math
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

SECONDS = 20.0
"""Of one request. SendGrid looks up four names before it answers a validation."""

MAX_ANSWER_OCTETS = 4 * 1024**2
"""A hundred records of Cloudflare are 60 KB."""

ATTEMPTS = 3
"""Of a request that the service asks to repeat, or of a look-up that met a gateway's error."""

MAX_WAIT_SECONDS = 30.0
"""What a service may ask a person to sit through; beyond it the person is told to come back later."""

PAUSE_SECONDS = 1.0
"""Before a repetition for which nobody named a time."""

_LIMITED = 429
_GATEWAYS = frozenset({502, 503, 504})


class Trouble(StrEnum):
    """Why there is no answer; each is a text of the catalogue."""

    UNREACHABLE = "api-unreachable"
    UNAUTHORISED = "api-unauthorised"
    FORBIDDEN = "api-forbidden"
    LIMITED = "api-limited"
    REFUSED = "api-refused"
    NOT_FOUND = "api-not-found"
    BROKEN = "api-broken"


@dataclass(frozen=True, slots=True)
class Service:
    """Who is asked: its name, the variable that holds our key, and where such keys are made."""

    name: str
    variable: str
    keys_at: str


class ApiRefused(Refused):
    """A service did not do it; ``trouble`` says of which kind that is."""

    def __init__(self, trouble: Trouble, **facts: str | int) -> None:
        super().__init__(trouble.value, failure=True, **facts)
        self.trouble = trouble


class _Reply(NamedTuple):
    status: int
    body: Any
    """None where it is no JSON."""

    wait_seconds: float


class JsonApi:
    """A service under ``base`` ("https://host/v4"), asked with a bearer token. Raises ApiRefused."""

    def __init__(
        self, service: Service, token: str, *, base: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.service = service
        self._token = token
        self._base = urlsplit(base)
        self._sleep = sleep

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
        permission: str = "",
    ) -> Any:
        """The JSON of the answer, None where it has none. ``permission`` is what the key must allow."""
        target = f"{self._base.path.rstrip('/')}{path}{'?' + urlencode(query) if query else ''}"
        reply = self._ask(method, target, body)
        for _ in range(1, ATTEMPTS):
            again = reply.status == _LIMITED or (reply.status in _GATEWAYS and method == "GET")
            if not again or reply.wait_seconds > MAX_WAIT_SECONDS:
                break
            self._sleep(reply.wait_seconds)
            reply = self._ask(method, target, body)
        return self._judged(reply, permission)

    def _judged(self, reply: _Reply, permission: str) -> Any:
        service, why = self.service, _said(reply.body)
        match reply.status:
            case status if 200 <= status < 300:
                return reply.body
            case 401:
                trouble = Trouble.UNAUTHORISED
            case 403:
                trouble = Trouble.FORBIDDEN
            case 404:
                trouble = Trouble.NOT_FOUND
            case 429:
                trouble = Trouble.LIMITED
            case status if 400 <= status < 500 and why:
                trouble = Trouble.REFUSED
            case _:
                trouble = Trouble.BROKEN
        raise ApiRefused(
            trouble,
            service=service.name,
            variable=service.variable,
            keys_at=service.keys_at,
            permission=permission,
            why=why or f"HTTP {reply.status}",
            seconds=math.ceil(reply.wait_seconds),
        )

    def _ask(self, method: str, target: str, body: Mapping[str, object] | None) -> _Reply:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "User-Agent": "mxgw",
        }
        octets = None
        if body is not None:
            octets = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, target, octets, headers)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_OCTETS + 1)
            wait = _wait(answer.headers.get)
        except (OSError, http.client.HTTPException) as error:
            why = shown(str(error) or type(error).__name__)
            raise ApiRefused(Trouble.UNREACHABLE, service=self.service.name, why=why) from None
        finally:
            connection.close()
        return _Reply(answer.status, _parsed(content), wait)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._base.hostname or "", self._base.port
        if self._base.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=SECONDS)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)


def _wait(header: Callable[[str], str | None]) -> float:
    """How long to wait: Retry-After (RFC 9110 section 10.2.3), or SendGrid's time of the next allowance."""
    retry, reset = header("Retry-After") or "", header("X-RateLimit-Reset") or ""
    if retry.isdecimal():
        return float(retry)
    if reset.isdecimal():
        return max(PAUSE_SECONDS, float(reset) - time.time())
    return PAUSE_SECONDS


def _parsed(content: bytes) -> Any:
    if len(content) > MAX_ANSWER_OCTETS:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _said(body: Any) -> str:
    """What the service says in its errors; Cloudflare and SendGrid have them in one form."""
    match body:
        case {"errors": [*errors]}:
            return shown("; ".join(_sentences(errors)))
        case {"error": str(error)}:
            return shown(error)
        case _:
            return ""


def _sentences(errors: Sequence[Any]) -> list[str]:
    found = []
    for error in errors[:3]:
        match error:
            case {"message": str(message), "code": int(code)}:
                found.append(f"{message} ({code})")
            case {"message": str(message)}:
                found.append(message)
    return found
