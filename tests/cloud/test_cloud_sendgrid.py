"""What SendGrid thinks of our keys and domains, and how much of the plan is used, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mxgw.admin.words import Language, Words
from tests.admin.admin_house import Told, admin
from tests.admin.person import Person
from tests.cli.support import PROGRAM, environment
from tests.cloud.fake_api import ADMIN_KEY, SENDING_KEY, FakeSendGrid, Sent
from tests.rig.process import find_program

LANGUAGES = pytest.mark.parametrize("lang", ["en", "ja"])
NOBODY = "127.0.0.1:1"


@pytest.fixture
def account() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as running:
        running.add("example.jp", valid=True)
        yield running


@pytest.fixture
def stack(tmp_path: Path, account: FakeSendGrid) -> Path:
    write(tmp_path, account)
    return tmp_path


def write(stack: Path, account: FakeSendGrid, **changes: str) -> None:
    values = {
        "SENDGRID_API_KEY": SENDING_KEY,
        "SENDGRID_ADMIN_KEY": f"'{ADMIN_KEY}'",
        "SENDGRID_API_URL": f"{account.base}   # of the tests",
        **changes,
    }
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    (stack / ".env").write_text(f"# a site\n\n{text}")


def run(stack: Path, *arguments: str, lang: str = "en") -> Told:
    return admin("sendgrid", *arguments, "--stack", str(stack), settings={}, lang=lang)


def found(told: Told) -> dict[str, tuple[str, str]]:
    return {it["about"]: (it["level"], it["message"]) for it in told.facts["findings"]}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_what_is_well_is_called_well(stack: Path, account: FakeSendGrid) -> None:
    account.account.credits = {"total": 3000, "used": 30, "remain": 2970, "reset_frequency": "monthly"}
    account.account.sent = {today(): Sent(5, 4, 1), "2001-01-01": Sent(900)}

    told = run(stack, "status")

    assert told.code == 0
    assert {level for level, _ in found(told).values()} == {"ok"}
    assert told.facts["sent"] == {"today": 5, "month": 5}
    assert told.facts["limit"] == {"total": 3000, "used": 30, "period": "month"}
    assert told.facts["domains"] == [{"domain": "example.jp", "valid": True}]


@LANGUAGES
@pytest.mark.parametrize(
    ("changes", "variable", "level", "key", "facts"),
    [
        ({"SENDGRID_ADMIN_KEY": ""}, "SENDGRID_ADMIN_KEY", "failed", "sendgrid-key-missing", {}),
        ({"SENDGRID_API_KEY": "SG.expired"}, "SENDGRID_API_KEY", "failed", "sendgrid-key-invalid", {}),
        (
            {"SENDGRID_ADMIN_KEY": SENDING_KEY},
            "SENDGRID_ADMIN_KEY",
            "failed",
            "sendgrid-key-lacks",
            {"scopes": "whitelabel.read, whitelabel.create, stats.read"},
        ),
        (
            {"SENDGRID_API_KEY": ADMIN_KEY},
            "SENDGRID_API_KEY",
            "failed",
            "sendgrid-key-lacks",
            {"scopes": "mail.send"},
        ),
    ],
)
def test_what_is_wrong_with_a_key_is_said_with_what_to_do(
    stack: Path,
    account: FakeSendGrid,
    changes: dict[str, str],
    variable: str,
    level: str,
    key: str,
    facts: dict[str, str],
    lang: str,
) -> None:
    write(stack, account, **changes)

    told = run(stack, "status", lang=lang)

    assert told.code == 1
    assert found(told)[variable] == (level, Words(Language(lang))(key, variable=variable, **facts))
    assert ADMIN_KEY not in told.out + told.err


def test_a_sending_key_that_may_do_more_is_warned_of(stack: Path, account: FakeSendGrid) -> None:
    account.account.scopes[SENDING_KEY] += ["whitelabel.create"]

    assert found(run(stack, "status"))["SENDGRID_API_KEY"][0] == "warning"


@pytest.mark.parametrize(
    ("limit", "sent", "level"),
    [
        ("100/day", 79, "ok"),
        ("100/day", 80, "warning"),
        ("100/day", 100, "failed"),
        ("1000/month", 80, "ok"),
        ("", 80, "warning"),
    ],
)
def test_the_end_of_the_plan_is_seen_coming(
    stack: Path, account: FakeSendGrid, limit: str, sent: int, level: str
) -> None:
    write(stack, account, SENDGRID_LIMIT=limit)
    account.account.sent = {today(): Sent(sent)}

    told = run(stack, "status")

    assert found(told)["plan"][0] == level
    assert told.code == (1 if level == "failed" else 0)


def test_domains_come_in_pages(stack: Path, account: FakeSendGrid) -> None:
    for number in range(120):
        account.add(f"d{number}.example", valid=number != 7)

    told = run(stack, "status")

    assert len(told.facts["domains"]) == 121
    assert found(told)["d7.example"][0] == "failed"
    assert told.code == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, b"oops", "api-broken"),
        (200, b"[1, 2", "api-broken"),
        (400, {"errors": [{"message": "no such thing", "field": "x"}]}, "api-refused"),
    ],
)
def test_whatever_sendgrid_answers_is_a_sentence(
    stack: Path, account: FakeSendGrid, status: int, body: Any, error: str
) -> None:
    account.next = [(200, {"scopes": ["mail.send"]}, {}), (status, body, {})]

    told = run(stack, "status")

    assert told.code == 1
    assert found(told)["SENDGRID_ADMIN_KEY"][1].split(" ")[0] == "SendGrid"
    assert Words(Language.EN)(error, service="SendGrid", why="~").split("~")[0].split("(")[0] in told.out


@LANGUAGES
def test_a_domain_is_looked_at_when_it_is_asked_for(stack: Path, account: FakeSendGrid, lang: str) -> None:
    words = Words(Language(lang))
    account.add("shop.example")
    account.resolves = lambda host, _content: not host.startswith("s2.")

    wrong = run(stack, "domain", "shop.example", lang=lang)
    account.resolves = lambda _host, _content: True
    right = run(stack, "domain", "shop.example", lang=lang)
    unknown = run(stack, "domain", "else.example", lang=lang)

    assert (wrong.code, wrong.facts["ok"]) == (1, False)
    assert list(wrong.facts["reasons"]) == ["dkim2"]
    assert "CNAME s2._domainkey.shop.example s2.domainkey.u2.wl2.sendgrid.net" in wrong.facts["records"]
    assert (right.code, right.facts["message"]) == (0, words("sendgrid-valid", domain="shop.example"))
    assert (unknown.code, unknown.facts["error"]) == (2, "sendgrid-unknown-domain")


@LANGUAGES
def test_a_person_sees_a_table_and_is_asked_for_a_domain(
    stack: Path, account: FakeSendGrid, lang: str
) -> None:
    words = Words(Language(lang))
    account.add("shop.example")
    account.account.sent = {today(): Sent(90)}
    write(stack, account, SENDGRID_LIMIT="100/day")
    environ = environment({"LANG": f"{lang}_XX.UTF-8", "LC_ALL": "", "TERM": "xterm", "COLUMNS": "200"})
    setsid = find_program("setsid", package="util-linux")
    command = [setsid, "--ctty", "--wait", PROGRAM, "admin", "sendgrid"]

    with Person([*command, "status", "--stack", str(stack)], environ) as someone:
        someone.sees("SENDGRID_ADMIN_KEY")
        someone.sees("shop.example")
        someone.sees(words("sendgrid-plan"))
        assert someone.ends() == 1
    for level, colour in (("ok", "32"), ("warning", "33"), ("failed", "1;31")):
        assert f"\x1b[{colour}m{words(f'level-{level}')}" in someone.raw
    with Person([*command, "domain", "--stack", str(stack)], environ) as someone:
        someone.sees(words("ask-domain"))
        someone.types("shop")
        someone.sees(words("bad-domain", text="shop"))
        someone.sees(words("ask-domain"))
        someone.types("shop.example")
        someone.sees(words("sendgrid-valid", domain="shop.example"))
        assert someone.ends() == 0


@LANGUAGES
def test_a_stack_without_its_file_is_a_sentence(tmp_path: Path, lang: str) -> None:
    told = run(tmp_path, "status", lang=lang)

    assert (told.code, told.facts["error"]) == (2, "env-file-missing")


def test_in_the_container_the_environment_says_it_all(account: FakeSendGrid) -> None:
    settings = {
        "MXGW_ADMIN_DB": "mysql://mailadmin@mariadb/mail",
        "SENDGRID_ADMIN_KEY": ADMIN_KEY,
        "SENDGRID_API_URL": account.base,
    }

    told = admin("sendgrid", "domain", "example.jp", "--stack", "/nowhere", settings=settings)

    assert (told.code, told.facts["ok"]) == (0, True)


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"SENDGRID_LIMIT": "many"}, "bad-limit-setting"), ({"SENDGRID_API_URL": "ftp://x"}, "bad-url-setting")],
)
def test_a_setting_that_cannot_be_is_a_mistake(
    stack: Path, account: FakeSendGrid, changes: dict[str, str], error: str
) -> None:
    write(stack, account, **changes)

    told = run(stack, "status")

    assert (told.code, told.facts["error"]) == (2, error)
