"""The probes: each asks one thing of the machine, under its own deadline. What cannot be asked is Unseen."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from cryptography import x509

from mxgw.admin.refusal import Refused
from mxgw.admin.stack import Answer
from mxgw.watch import canary_site
from mxgw.watch.canary import Way
from mxgw.watch.canary_dns import published
from mxgw.watch.canary_record import Standing
from mxgw.watch.facts import (
    Canary,
    CanaryRun,
    Certificate,
    Containers,
    Databases,
    Disk,
    Mailbox,
    Queue,
    Sent,
    Tailnet,
    Task,
    Unseen,
)
from mxgw.watch.site import Site

PROBE_SECONDS: Final = 20.0
"""For one probe; they run side by side, and the next round comes after a minute."""

CONNECT_SECONDS: Final = 5.0
MAX_STATE_OCTETS: Final = 1024 * 1024
MAX_QUEUE_LINES: Final = 10_000
TLS_PORTS: Final = (993, 465, 443)

CLAMAV_ZONE: Final = ZoneInfo("Asia/Tokyo")
"""clamd tells the time of its own clock on the wall: compose.yaml gives it this TZ."""

_SENT: Final = re.compile(rb"postfix/smtp\[\d+\]: \w+: .*\bstatus=sent\b")
_CLAMAV: Final = re.compile(r"ClamAV [^/]+/\d+/(.+)")

Probe = Callable[[Site, float], Any]


def look(site: Site, probes: Mapping[str, Probe], *, now: float) -> dict[str, Any]:
    """All of them at once; a probe that hangs is left behind, and told as Unseen."""
    seen: dict[str, Any] = {}

    def run(name: str, probe: Probe) -> None:
        seen[name] = _tried(probe, site, now)

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in probes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PROBE_SECONDS + CONNECT_SECONDS)
    return {name: seen.get(name, Unseen(f"no answer in {PROBE_SECONDS:g} s")) for name in probes}


def _tried(probe: Probe, site: Site, now: float) -> Any:
    try:
        return probe(site, now)
    except Refused as why:
        told = " ".join(f"{value}" for value in why.facts.values())
        return Unseen(f"{why.key} {told}".strip())
    except Exception as error:  # noqa: BLE001 - whatever a probe trips over is told, and the others go on
        return Unseen(f"{type(error).__name__}: {error}"[:300])


# -- containers ---------------------------------------------------------------------------------------------


def containers(site: Site, now: float) -> Containers:
    """States, and restarts by Docker."""
    del now
    states = site.stack.states()
    form = '{{index .Config.Labels "com.docker.compose.service"}} {{.RestartCount}}'
    restarts = {}
    if ids := [one.container for one in states.values() if one.container]:
        # One that was made anew meanwhile is gone, which is an error; the others are told all the same.
        told = site.stack.call("inspect", "--format", form, *ids, timeout=PROBE_SECONDS).output
        for line in told.decode("utf-8", "replace").splitlines():
            name, _, count = line.partition(" ")
            if count.isdecimal():
                restarts[name] = int(count)
    return Containers(states, restarts)


def queue(site: Site, now: float) -> Queue:
    """``postqueue -j``: a line of JSON for each message (postqueue(1))."""
    del now
    lines = _inside(site, "postfix", "postqueue", "-j").splitlines()
    mails = [json.loads(line) for line in lines[:MAX_QUEUE_LINES]]
    reasons = [
        f"{one.get('address')}: {one['delay_reason']}"
        for mail in mails
        for one in mail.get("recipients", [])
        if one.get("delay_reason")
    ]
    oldest = min((float(mail["arrival_time"]) for mail in mails), default=0.0)
    return Queue(len(lines), oldest, tuple(dict.fromkeys(reasons))[:3])


def mailboxes(site: Site, now: float) -> tuple[Mailbox, ...]:
    """``doveadm quota get -A``: storage in KiB, "-" where there is no limit."""
    del now
    found = []
    for line in _inside(site, "dovecot", "doveadm", "-f", "tab", "quota", "get", "-A").splitlines()[1:]:
        user, _, kind, value, limit, *_ = line.split("\t")
        if kind == "STORAGE":
            found.append(Mailbox(user, int(value) * 1024, 0 if limit == "-" else int(limit) * 1024))
    return tuple(found)


def databases(site: Site, now: float) -> Databases:
    """What ClamAV says of its signatures, and the newest list that Rspamd fetched."""
    del now
    told = _inside(site, "clamav", "clamdscan", "--config-file=/etc/clamav/clamd.conf", "--version")
    maps = (path.stat().st_mtime for path in (site.data / "rspamd").glob("*.map"))
    return Databases(_clamav_at(told.strip()), max(maps, default=0.0))


def _clamav_at(told: str) -> float:
    """Unix time; 0 where there is no list: without one clamd names no time, or "invalid timestamp"."""
    made = _CLAMAV.match(told)
    if not made:
        return 0.0
    try:
        moment = datetime.strptime(made[1], "%a %b %d %H:%M:%S %Y").replace(tzinfo=CLAMAV_ZONE)
    except ValueError:
        return 0.0
    return moment.timestamp()


def sent(site: Site, now: float) -> Sent | None:
    """Deliveries to the relay in this day or month (UTC, as SendGrid counts); None without a limit."""
    limit, _, period = site.get("SENDGRID_LIMIT").partition("/")
    if not limit.isdecimal() or period not in {"day", "month"}:
        return None
    start = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = start.replace(day=1) if period == "month" else start
    since = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    answer = site.stack.compose(
        "logs", "--no-color", "--no-log-prefix", "--since", since, "postfix", timeout=PROBE_SECONDS
    )
    if answer.code:
        raise OSError(answer.errors.strip()[-200:])
    return Sent(sum(1 for line in answer.output.splitlines() if _SENT.search(line)), int(limit), period)


def _inside(site: Site, service: str, *command: str) -> str:
    return _said(site.stack.run(service, command, timeout=PROBE_SECONDS))


def _said(answer: Answer) -> str:
    if answer.code:
        raise OSError(answer.errors.strip()[-200:] or f"ended with {answer.code}")
    return answer.output.decode("utf-8", "replace")


# -- the machine --------------------------------------------------------------------------------------------


def disks(site: Site, now: float) -> tuple[Disk, ...]:
    """The file systems of the mail, of the backup and of the system (WATCH_DISKS), each once."""
    del now
    found: dict[int, Disk] = {}
    backup = Path(site.get("BACKUP_DIRECTORY", "/mnt/backup/mailserver"))
    others = map(Path, site.get("WATCH_DISKS", "/").split())
    for path in (site.data, *([backup] if backup.exists() else []), *others):
        usage = shutil.disk_usage(path)
        found.setdefault(os.stat(path).st_dev, Disk(str(path), usage.total, usage.free))
    return tuple(found.values())


def tailnet(site: Site, now: float) -> Tailnet:
    """``tailscale status --json``."""
    del now
    command = [site.get("TAILSCALE_COMMAND", "tailscale"), "status", "--json"]
    done = subprocess.run(  # noqa: S603 - the administrator's own
        command, capture_output=True, timeout=PROBE_SECONDS, check=False
    )
    # Stopped, it says so in its JSON and exits with 1.
    if not done.stdout.strip():
        raise OSError(done.stderr.decode("utf-8", "replace").strip()[-200:])
    status = json.loads(done.stdout)
    own = status.get("Self") or {}
    ends = own.get("KeyExpiry")
    return Tailnet(
        str(status.get("BackendState", "")),
        bool(own.get("Online", True)),
        datetime.fromisoformat(ends).timestamp() if ends else 0.0,
        tuple(map(str, status.get("Health") or ())),
    )


def certificates(site: Site, now: float) -> tuple[Certificate, ...]:
    """The file, and what the ports show to whoever comes."""
    del now
    path = site.data / "tls" / "cert.pem"
    try:
        file = _certificate(str(path), x509.load_pem_x509_certificate(path.read_bytes()))
    except (OSError, ValueError) as error:
        file = Certificate(str(path), 0.0, trouble=str(error)[:200])
    host = site.get("TAILSCALE_IP", "127.0.0.1")
    ports = (
        (int(text) for text in site.get("WATCH_TLS_PORTS").split()) if site.get("WATCH_TLS_PORTS") else None
    )
    return (file, *(_shown(host, port, site.get("MAIL_HOSTNAME")) for port in ports or TLS_PORTS))


def _shown(host: str, port: int, name: str) -> Certificate:
    place = f"port {port}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # What is shown is wanted, whatever it is worth.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name or None) as secured,
        ):
            der = secured.getpeercert(binary_form=True) or b""
        return _certificate(place, x509.load_der_x509_certificate(der))
    except (OSError, ValueError) as error:
        return Certificate(place, 0.0, trouble=str(error)[:200] or type(error).__name__)


def _certificate(place: str, found: x509.Certificate) -> Certificate:
    return Certificate(place, found.not_valid_after_utc.timestamp(), found.serial_number)


# -- what other jobs left behind ----------------------------------------------------------------------------


def backup(site: Site, now: float) -> Task | None:
    """The last backup; None where there was none."""
    return _task(site, "backup.json", now)


def update(site: Site, now: float) -> Task | None:
    """The last update; None where there was none."""
    return _task(site, "update.json", now)


def canary(site: Site, now: float) -> Canary | None:
    """The last canary, and how the record of its key is in DNS; None where none is to fly."""
    del now
    if not canary_site.set_up(site):
        return None
    saved = _state(site, "canary.json")
    run = _run(saved) if saved is not None else None
    set_at = os.stat(site.stack.directory / ".env").st_mtime
    if canary_site.way(site) is not Way.DIRECT:
        # SendGrid signs: its keys are those of the domain.
        return Canary(run, set_at)
    try:
        record = canary_site.record(site)
    except Refused as why:
        return Canary(run, set_at, trouble=str(why.facts.get("why", why.key)))
    return Canary(run, set_at, record=record.name, standing=published(record, canary_site.dns_servers(site)))


def _run(saved: Mapping[str, Any]) -> CanaryRun:
    return CanaryRun(
        float(saved["at"]),
        str(saved["broken"]),
        str(saved["why"]),
        float(saved["seconds"] or 0.0),
        Standing(saved.get("record", Standing.UNKNOWN)),
    )


def _task(site: Site, name: str, now: float) -> Task | None:
    del now
    saved = _state(site, name)
    if saved is None:
        return None
    verified = saved.get("verified")
    return Task(
        _moment(saved["finished"]),
        bool(saved.get("ok")),
        verified if isinstance(verified, bool) else None,
        str(saved.get("why") or "")[:300],
    )


def _moment(value: object) -> float:
    return float(value) if isinstance(value, int | float) else datetime.fromisoformat(str(value)).timestamp()


def _state(site: Site, name: str) -> dict[str, Any] | None:
    try:
        with (site.state / name).open("rb") as file:
            found = json.loads(file.read(MAX_STATE_OCTETS))
    except FileNotFoundError:
        return None
    if not isinstance(found, dict):
        raise TypeError(f"{name} is no object")
    return found


ALL: Final[Mapping[str, Probe]] = {
    "containers": containers,
    "disks": disks,
    "mailboxes": mailboxes,
    "queue": queue,
    "tailnet": tailnet,
    "certificates": certificates,
    "backup": backup,
    "update": update,
    "databases": databases,
    "sent": sent,
    "canary": canary,
}
