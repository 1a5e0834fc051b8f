"""HTTP services on loopback that behave as the documents of Cloudflare and SendGrid say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]

TOKEN = "cf-token-of-the-tests"
ADMIN_KEY = "SG.admin-key-of-the-tests"
SENDING_KEY = "SG.sending-key-of-the-tests"


@dataclass(frozen=True, slots=True)
class Request:
    """What came: ``query`` has the first value of each name."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class FakeApi:
    """Answers each request by ``answer``; ``next`` answers stand before, with their headers."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.next: list[tuple[int, Any, dict[str, str]]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                fake._handle(self)

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def asked(self, method: str) -> list[Request]:
        return [request for request in self.requests if request.method == method]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        octets = handler.rfile.read(length)
        url = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        token = (handler.headers.get("Authorization") or "").removeprefix("Bearer ")
        request = Request(handler.command, url.path, query, json.loads(octets) if octets else None, token)
        self.requests.append(request)
        headers: dict[str, str] = {}
        if self.next:
            status, body, headers = self.next.pop(0)
        else:
            status, body = self.answer(request)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


class FakeCloudflare(FakeApi):
    """One account with some zones; ``may_write`` is whether the token may edit."""

    def __init__(self, *zones: str, page: int = 100) -> None:
        super().__init__()
        self.zones = {f"zone{number}": name for number, name in enumerate(zones)}
        self.records: dict[str, dict[str, Any]] = {}
        self.may_write = True
        self.on_change: Callable[[], None] = lambda: None
        self._page = page
        self._number = 0
        self.base += "/client/v4"

    def put(self, kind: str, name: str, content: str, **more: Any) -> str:
        """A record that was there before."""
        self._number += 1
        zone = next(key for key, zone in self.zones.items() if name == zone or name.endswith(f".{zone}"))
        record = {"id": f"r{self._number}", "zone": zone, "type": kind, "name": name, "content": content}
        self.records[record["id"]] = {"proxied": False, "comment": None, "ttl": 1, **record, **more}
        self._complete(record["id"])
        self.on_change()
        return record["id"]

    def _complete(self, key: str) -> None:
        """A service is told in parts, and shown both in parts and as a line."""
        if (data := self.records[key].get("data")) is not None:
            line = f"{data['weight']} {data['port']} {data['target']}"
            self.records[key] |= {"content": line, "priority": data["priority"]}

    def contents(self, name: str, kind: str) -> list[str]:
        return [it["content"] for it in self.records.values() if it["name"] == name and it["type"] == kind]

    def answer(self, request: Request) -> Answer:
        if request.token != TOKEN:
            return 403, _failure(9109, "Invalid access token")
        path = request.path.removeprefix("/client/v4")
        if path == "/zones":
            found = [
                {"id": key, "name": zone, "status": "active"}
                for key, zone in self.zones.items()
                if zone == request.query["name"]
            ]
            return 200, _page(found, 1, 1)
        _, _, zone, _, *rest = path.split("/")
        here = [it for it in self.records.values() if it["zone"] == zone]
        if request.method == "GET":
            number, size = int(request.query["page"]), min(self._page, int(request.query["per_page"]))
            pages = max(1, -(-len(here) // size))
            return 200, _page(here[(number - 1) * size : number * size], number, pages)
        if not self.may_write:
            return 403, _failure(10000, "Authentication error")
        return self._written(request, zone, rest[0] if rest else "")

    def _written(self, request: Request, zone: str, key: str) -> Answer:
        if request.method == "POST":
            body = request.body
            if not body["name"].endswith(self.zones[zone]):
                return 400, _failure(9003, "Invalid or missing zone in name")
            if body["type"] == "MX" and "priority" not in body:
                return 400, _failure(9102, "priority is a required field")
            if body["type"] == "SRV" and body.get("data", {}).keys() != {
                "priority",
                "weight",
                "port",
                "target",
            }:
                return 400, _failure(9101, "data is a required field")
            there = [
                it
                for it in self.records.values()
                if it["name"] == body["name"] and "CNAME" in {it["type"], body["type"]}
            ]
            if there:
                return 400, _failure(81053, "An A, AAAA, or CNAME record with that host already exists.")
            given = {"kind" if name == "type" else name: value for name, value in body.items()}
            key = self.put(**{"content": "", **given})
            return 200, _success(self.records[key])
        if key not in self.records:
            return 404, _failure(81044, "Record does not exist.")
        if request.method == "DELETE":
            del self.records[key]
            self.on_change()
            return 200, _success({"id": key})
        self.records[key] |= request.body
        self._complete(key)
        self.on_change()
        return 200, _success(self.records[key])


def _page(found: list[Any], number: int, pages: int) -> dict[str, Any]:
    info = {"page": number, "per_page": len(found), "count": len(found), "total_pages": pages}
    return {**_success(found), "result_info": info}


def _success(result: Any) -> dict[str, Any]:
    return {"success": True, "errors": [], "messages": [], "result": result}


def _failure(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}


@dataclass
class Sent:
    """How many went out on a day."""

    requests: int = 0
    delivered: int = 0
    bounces: int = 0
    blocks: int = 0
    spam_reports: int = 0


@dataclass
class SendGridAccount:
    """What the account has."""

    scopes: dict[str, list[str]] = field(
        default_factory=lambda: {
            ADMIN_KEY: ["whitelabel.read", "whitelabel.create", "whitelabel.update", "stats.read"],
            SENDING_KEY: ["mail.send", "2fa_required"],
        }
    )
    domains: list[dict[str, Any]] = field(default_factory=list)
    credits: dict[str, Any] | None = None
    sent: dict[str, Sent] = field(default_factory=dict)


class FakeSendGrid(FakeApi):
    """An account; ``resolves`` tells whether a CNAME is in DNS, as SendGrid would see it."""

    def __init__(self) -> None:
        super().__init__()
        self.account = SendGridAccount()
        self.resolves: Callable[[str, str], bool] = lambda _host, _content: True

    def add(self, domain: str, *, valid: bool = False) -> dict[str, Any]:
        number = len(self.account.domains) + 1
        account = f"u{number}.wl{number}"
        one = {
            "id": number,
            "user_id": 7,
            "subdomain": f"em{number}",
            "domain": domain,
            "automatic_security": True,
            "valid": valid,
            "dns": {
                "mail_cname": _cname(f"em{number}.{domain}", f"{account}.sendgrid.net"),
                "dkim1": _cname(f"s1._domainkey.{domain}", f"s1.domainkey.{account}.sendgrid.net"),
                "dkim2": _cname(f"s2._domainkey.{domain}", f"s2.domainkey.{account}.sendgrid.net"),
            },
        }
        self.account.domains.append(one)
        return one

    def answer(self, request: Request) -> Answer:
        if request.token not in self.account.scopes:
            message = "The provided authorization grant is invalid, expired, or revoked"
            return 401, _errors(message)
        scopes = self.account.scopes[request.token]
        if request.path == "/v3/scopes":
            return 200, {"scopes": scopes}
        needed = "whitelabel" if "whitelabel" in request.path else "stats"
        if "credits" not in request.path and not any(it.startswith(needed) for it in scopes):
            return 403, _errors("access forbidden")
        return self._known(request)

    def _known(self, request: Request) -> Answer:
        match request.method, request.path.split("/")[2:]:
            case "GET", ["whitelabel", "domains"]:
                first, size = int(request.query["offset"]), int(request.query["limit"])
                return 200, self.account.domains[first : first + size]
            case "POST", ["whitelabel", "domains"]:
                return 201, self.add(request.body["domain"])
            case "POST", ["whitelabel", "domains", number, "validate"]:
                return 200, self._validated(self.account.domains[int(number) - 1])
            case "GET", ["user", "credits"]:
                return (
                    (403, _errors("access forbidden"))
                    if self.account.credits is None
                    else (
                        200,
                        self.account.credits,
                    )
                )
            case "GET", ["stats"]:
                return 200, [
                    {"date": day, "stats": [{"metrics": vars(sent)}]}
                    for day, sent in sorted(self.account.sent.items())
                    if request.query["start_date"] <= day <= request.query["end_date"]
                ]
            case _:
                return 404, _errors("not found")

    def _validated(self, one: dict[str, Any]) -> dict[str, Any]:
        results = {}
        for part, record in one["dns"].items():
            good = self.resolves(record["host"], record["data"])
            record["valid"] = good
            reason = None if good else f'Expected CNAME for "{record["host"]}" to match "{record["data"]}".'
            results[part] = {"valid": good, "reason": reason}
        one["valid"] = all(result["valid"] for result in results.values())
        return {"id": one["id"], "valid": one["valid"], "validation_results": results}


def _cname(host: str, data: str) -> dict[str, Any]:
    return {"valid": False, "type": "cname", "host": host, "data": data}


def _errors(message: str) -> dict[str, Any]:
    return {"errors": [{"field": None, "message": message}]}
