"""``mxgw admin sendgrid``: the keys, the domains that are signed for, what is sent and may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import click

from mxgw.admin import forms
from mxgw.admin.cloud.api import ApiRefused, Trouble
from mxgw.admin.cloud.cloudflare import Put
from mxgw.admin.cloud.sendgrid import SendGrid, SignedDomain
from mxgw.admin.cloud.settings import SENDGRID_KEY, SENDING_KEY, CloudSettings, cloud_settings
from mxgw.admin.cloud.usage import WARNING_PERCENT, Limit, Period, Usage, limit, limit_setting, usage
from mxgw.admin.dns_check import Level
from mxgw.admin.refusal import Refused
from mxgw.admin.words import Words
from mxgw.cli.admin_call import Call, Cell, spoken, spoken_group
from mxgw.cli.admin_domain_cloud import State, known_at, validation_part
from mxgw.cli.admin_domain_records import put_text
from mxgw.cli.admin_stack_option import site_environ, stack_option
from mxgw.cli.terminal import FAILURE, console, plain

SENDING_SCOPE = "mail.send"
ADMIN_SCOPES = ("whitelabel.read", "whitelabel.create", "stats.read")
"""What the administrator's key is for: domain authentication, and counts."""

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "bold red"}

Finding = tuple[str, Level, str]
"""What was looked at, how it is, and the sentence."""


def group(words: Words) -> click.Group:
    """The commands."""
    domain = partial(click.Argument, ["domain"], required=False, metavar="[DOMAIN]")
    made = spoken_group("sendgrid", words)
    made.add_command(spoken("sendgrid-status", words, status, [stack_option(words)]))
    made.add_command(spoken("sendgrid-domain", words, validate, [domain(), stack_option(words)]))
    return made


def status(call: Call, stack: str) -> None:
    """All that SendGrid tells; exit code 1 where something is wrong, so that a timer may ask."""
    environ = site_environ(call, stack)
    settings = cloud_settings(environ)
    setting = limit_setting(settings.sendgrid_limit)
    findings = [_key(call, settings, SENDING_KEY, settings.sending_key, (SENDING_SCOPE,))]
    admin = _key(call, settings, SENDGRID_KEY, settings.sendgrid_key, ADMIN_SCOPES)
    findings.append(admin)
    domains: list[SignedDomain] = []
    sent: Usage | None = None
    bound: Limit | None = None
    if settings.sendgrid_key and admin[1] is not Level.FAILED:
        sendgrid = SendGrid(settings.sendgrid_key, base=settings.sendgrid_url)
        try:
            domains = sendgrid.domains()
            today = datetime.now(UTC).date()
            sent = usage(sendgrid.sent(today.replace(day=1), today), today)
            bound = limit(sendgrid.allowance(), setting, sent)
        except Refused as why:
            findings.append(("api", Level.FAILED, call.words(why.key, **why.facts)))
        findings += [_domain(call, it) for it in domains]
        if not domains and sent is not None:
            findings.append(("domains", Level.WARNING, call.words("sendgrid-no-domain")))
        if sent is not None:
            findings += _usage(call, sent, bound)
    _show(call, findings, domains, sent, bound)


def validate(call: Call, domain: str | None, stack: str) -> None:
    """Have SendGrid look at the records of a domain now; they are shown where it does not find them."""
    settings = cloud_settings(site_environ(call, stack))
    name = call.asked(domain, "domain", forms.domain)
    if not settings.sendgrid_key:
        raise Refused("sendgrid-needs-key")
    sendgrid = SendGrid(settings.sendgrid_key, base=settings.sendgrid_url)
    known = known_at(sendgrid, name)
    if known is None:
        raise Refused("sendgrid-unknown-domain", domain=name)
    part = validation_part(call, name, sendgrid.validate(known))
    records = [put_text(Put(it.kind, it.host, it.content)) for it in known.records]
    if part.state is State.LEFT:
        call.incomplete = True
    if call.as_json:
        told = {"ok": part.state is State.DONE, "domain": name, "message": part.message, **part.facts}
        call.print_json({**told, "records": records})
        return
    style = STYLES[Level.FAILED if call.incomplete else Level.OK]
    console().print(plain(part.message), style=style, soft_wrap=True)
    if call.incomplete:
        call.say("sendgrid-records")
        for record in records:
            click.echo(f"  {plain(record)}")
        click.echo(plain("\n".join(part.left)))


def _key(call: Call, settings: CloudSettings, variable: str, key: str, needed: Sequence[str]) -> Finding:
    """Whether SendGrid knows a key, and what of its purpose it may not do."""
    words = call.words
    if not key:
        return variable, Level.FAILED, words("sendgrid-key-missing", variable=variable)
    try:
        scopes = SendGrid(key, base=settings.sendgrid_url).scopes()
    except ApiRefused as why:
        if why.trouble is Trouble.UNAUTHORISED:
            return variable, Level.FAILED, words("sendgrid-key-invalid", variable=variable)
        return variable, Level.FAILED, words(why.key, **why.facts)
    missing = [scope for scope in needed if scope not in scopes]
    if missing:
        facts = {"variable": variable, "scopes": ", ".join(missing)}
        return variable, Level.FAILED, words("sendgrid-key-lacks", **facts)
    if variable == SENDING_KEY and scopes & set(ADMIN_SCOPES):
        return variable, Level.WARNING, words("sendgrid-key-broad", variable=variable)
    return variable, Level.OK, words("sendgrid-key-good", variable=variable)


def _domain(call: Call, domain: SignedDomain) -> Finding:
    if domain.valid:
        return domain.domain, Level.OK, call.words("sendgrid-valid", domain=domain.domain)
    texts = [call.words(key, domain=domain.domain) for key in ("sendgrid-there", "sendgrid-validate-later")]
    return domain.domain, Level.FAILED, " ".join(texts)


def _usage(call: Call, sent: Usage, bound: Limit | None) -> list[Finding]:
    words = call.words
    found: list[Finding] = [
        (
            words("sendgrid-sent"),
            Level.OK,
            words(
                "sendgrid-counts",
                today=sent.today,
                month=sent.month,
                delivered=sent.delivered,
                bounced=sent.bounced,
                spam=sent.reported_as_spam,
            ),
        )
    ]
    if bound is None:
        return [*found, (words("sendgrid-plan"), Level.WARNING, words("sendgrid-limit-unknown"))]
    key = _LIMIT_KEYS[bound.period]
    facts = {"used": bound.used, "total": bound.total, "percent": bound.percent}
    text = words(key, **facts)
    if bound.percent >= 100:
        return [*found, (words("sendgrid-plan"), Level.FAILED, f"{text} {words('sendgrid-limit-reached')}")]
    if bound.near:
        warned = words("sendgrid-limit-near", percent=WARNING_PERCENT)
        return [*found, (words("sendgrid-plan"), Level.WARNING, f"{text} {warned}")]
    return [*found, (words("sendgrid-plan"), Level.OK, text)]


_LIMIT_KEYS = {Period.DAY: "sendgrid-limit-day", Period.MONTH: "sendgrid-limit-month"}


def _show(
    call: Call,
    findings: list[Finding],
    domains: list[SignedDomain],
    sent: Usage | None,
    bound: Limit | None,
) -> None:
    failed = any(level is Level.FAILED for _, level, _ in findings)
    if call.as_json:
        call.print_json(
            {
                "ok": not failed,
                "findings": [
                    {"about": about, "level": level.value, "message": text} for about, level, text in findings
                ],
                "domains": [{"domain": it.domain, "valid": it.valid} for it in domains],
                "sent": None if sent is None else {"today": sent.today, "month": sent.month},
                "limit": None
                if bound is None
                else {"total": bound.total, "used": bound.used, "period": bound.period.value},
            }
        )
    else:
        rows: list[list[Cell]] = [
            [about, (call.words(f"level-{level}"), STYLES[level]), text] for about, level, text in findings
        ]
        call.show(["about", "result", "finding"], rows, [])
    if failed:
        raise SystemExit(FAILURE)
