"""Where notices go: mail by two ways, Slack, Discord, LINE. Each ``send`` raises Undelivered."""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import urlsplit

from mxgw.admin.refusal import Refused
from mxgw.watch.site import Site

SECONDS: Final = 15.0
"""For one channel; a round has a minute."""

LINE_URL: Final = "https://api.line.me"
SENDGRID_URL: Final = "https://api.sendgrid.com"

# What the services take in one message: Discord 2,000 characters, LINE 5,000, Slack advises 4,000.
MAX_CHARACTERS: Final = {"discord": 1_900, "line": 4_900, "slack": 3_900}

MAX_ANSWER_OCTETS: Final = 2_000


class Undelivered(Exception):
    """A channel did not take it; the text says why, and holds no key of ours."""


@dataclass(frozen=True, slots=True)
class Channel:
    """``name`` is "mail", "slack", "discord", "line" or "webhook", the second of a kind "slack-2";
    ``send(subject, text)``. ``room``: characters that both may have together, 0 for any number."""

    name: str
    send: Callable[[str, str], None]
    room: int = 0


def channels(site: Site, *, postfix_well: Callable[[], bool] = lambda: True) -> list[Channel]:
    """Those that .env has. ``postfix_well`` says which way of mail is tried first."""
    found = []
    if to := site.get("ALERT_MAIL_TO"):
        found.append(Channel("mail", lambda subject, text: _mail(site, to, subject, text, postfix_well())))
    found += [_webhook(url, site) for url in site.get("ALERT_WEBHOOK").replace(",", " ").split()]
    if (token := site.get("LINE_CHANNEL_TOKEN")) and (to := site.get("LINE_TO")):
        found.append(_line(site.get("LINE_API_URL", LINE_URL), token, to))
    return list(_named_apart(found))


def _named_apart(found: Sequence[Channel]) -> Iterator[Channel]:
    """What one has taken, another of its kind has not."""
    seen: Counter[str] = Counter()
    for one in found:
        seen[one.name] += 1
        yield replace(one, name=f"{one.name}-{seen[one.name]}") if seen[one.name] > 1 else one


# -- mail ---------------------------------------------------------------------------------------------------


def _mail(site: Site, to: str, subject: str, text: str, postfix_first: bool) -> None:
    """By our own Postfix, and past it where that is what is broken: the way that is well goes first."""
    message = _letter(site, to, subject, text)
    ways = [_by_postfix, _directly]
    said = []
    for way in ways if postfix_first else reversed(ways):
        try:
            way(site, message)
        except Undelivered as why:
            said.append(str(why))
        else:
            return
    raise Undelivered("; ".join(said))


def sender(site: Site) -> str:
    """The address that notices come from: one that SendGrid signs for."""
    return site.get("ALERT_MAIL_FROM") or site.get("POSTMASTER_ADDRESS")


def _letter(site: Site, to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"mxgw <{sender(site)}>"
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender(site).rpartition("@")[2] or "localhost")
    # RFC 3834 section 5: nobody's vacation reply is wanted.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _recipients(message: EmailMessage) -> list[str]:
    """Without the names that may stand before them."""
    return [one.addr_spec for one in message["To"].addresses if one.addr_spec]


def _by_postfix(site: Site, message: EmailMessage) -> None:
    recipients = _recipients(message)
    command = ["sendmail", "-i", "-f", sender(site), "--", *recipients]
    try:
        answer = site.stack.run("postfix", command, stdin=message.as_bytes(), timeout=SECONDS)
    except Refused as why:
        raise Undelivered(f"Postfix: {why.key}") from None
    if answer.code:
        raise Undelivered(f"Postfix: {answer.errors.strip()[-200:] or answer.code}")


def _directly(site: Site, message: EmailMessage) -> None:
    if host := site.get("ALERT_SMTP_HOST"):
        _by_smtp(site, host, message)
    elif site.get("SENDGRID_API_KEY"):
        _by_sendgrid(site, message)
    else:
        raise Undelivered("no direct way: neither ALERT_SMTP_HOST nor SENDGRID_API_KEY is set")


def _by_smtp(site: Site, host: str, message: EmailMessage) -> None:
    """ALERT_SMTP_HOST is host[:port]; 465 is TLS from the start, every other port asks for STARTTLS."""
    name, _, port_text = host.partition(":")
    port = int(port_text) if port_text.isdecimal() else 587
    try:
        context = ssl.create_default_context(cafile=site.get("ALERT_SMTP_CA") or None)
        if port == smtplib.SMTP_SSL_PORT:
            session: smtplib.SMTP = smtplib.SMTP_SSL(name, port, timeout=SECONDS, context=context)
        else:
            session = smtplib.SMTP(name, port, timeout=SECONDS)
        with session:
            if port != smtplib.SMTP_SSL_PORT:
                session.starttls(context=context)
            if user := site.get("ALERT_SMTP_USER"):
                session.login(user, site.get("ALERT_SMTP_PASSWORD"))
            session.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(f"{name}: {_words(error)}") from None


def _by_sendgrid(site: Site, message: EmailMessage) -> None:
    recipients = _recipients(message)
    by_sendgrid_api(site, sender(site), recipients, str(message["Subject"]), message.get_content(), {})


def by_sendgrid_api(
    site: Site,
    author: str,
    recipients: Sequence[str],
    subject: str,
    text: str,
    fields: Mapping[str, str],
) -> None:
    """The API takes over HTTPS what port 587 may not (v3/mail/send). Raises Undelivered."""
    body = {
        "personalizations": [{"to": [{"email": one} for one in recipients]}],
        "from": {"email": author, "name": "mxgw"},
        "subject": subject,
        "content": [{"type": "text/plain", "value": text}],
        **({"headers": dict(fields)} if fields else {}),
        # Links in a warning must lead where they say.
        "tracking_settings": {"click_tracking": {"enable": False}},
    }
    url = site.get("SENDGRID_API_URL", SENDGRID_URL).rstrip("/") + "/v3/mail/send"
    _post(url, body, {"Authorization": f"Bearer {site.get('SENDGRID_API_KEY')}"}, "SendGrid")


# -- chat ---------------------------------------------------------------------------------------------------


def _webhook(url: str, site: Site) -> Channel:
    """The kind is told by the URL; ALERT_WEBHOOK_KIND says it where that does not."""
    host = (urlsplit(url).hostname or "").lower()
    kind = (
        "slack"
        if host.endswith("slack.com")
        else "discord"
        if host.endswith(("discord.com", "discordapp.com"))
        else site.get("ALERT_WEBHOOK_KIND", "slack")
    )
    name = "content" if kind == "discord" else "text"

    def send(subject: str, text: str) -> None:
        body: dict[str, object] = {name: _cut(f"{subject}\n{text}", kind)}
        if kind == "discord":
            # What a stranger wrote into an address must not call the whole room.
            body["allowed_mentions"] = {"parse": []}
        _post(url, body, {}, kind)

    return Channel(kind, send, MAX_CHARACTERS.get(kind, min(MAX_CHARACTERS.values())))


def _line(base: str, token: str, to: str) -> Channel:
    """LINE's Messaging API, push message; LINE Notify has ended."""

    def send(subject: str, text: str) -> None:
        body = {"to": to, "messages": [{"type": "text", "text": _cut(f"{subject}\n{text}", "line")}]}
        url = base.rstrip("/") + "/v2/bot/message/push"
        _post(url, body, {"Authorization": f"Bearer {token}"}, "LINE")

    return Channel("line", send, MAX_CHARACTERS["line"])


def _cut(text: str, kind: str) -> str:
    most = MAX_CHARACTERS.get(kind, min(MAX_CHARACTERS.values()))
    return text if len(text) <= most else text[: most - 3] + "..."


def _post(url: str, body: Mapping[str, object], headers: Mapping[str, str], whom: str) -> None:
    """One POST of JSON; Undelivered unless it is answered 2xx. The URL may be a secret: it is never told."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            # Nothing there is this machine itself, for http.client.
            raise ValueError
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=SECONDS)
    except ValueError:
        raise Undelivered(f"{whom}: its URL cannot be read") from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Content-Type": "application/json", "User-Agent": "mxgw", **headers}
    try:
        connection.request("POST", target, json.dumps(body).encode(), sent)
        answer = connection.getresponse()
        said = answer.read(MAX_ANSWER_OCTETS).decode("utf-8", "replace")
    except (ValueError, http.client.InvalidURL) as error:
        # What it complains of may be the key.
        raise Undelivered(f"{whom}: {type(error).__name__}") from None
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(f"{whom}: {_words(error)}") from None
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise Undelivered(f"{whom}: HTTP {answer.status} {' '.join(said.split())[:150]}".rstrip())


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
