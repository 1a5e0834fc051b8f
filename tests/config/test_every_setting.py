"""Each setting, wrong in turn: the mistake names the variable, what was said, and what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from mxgw.config import SETTINGS, Config, ConfigMistake, Role, load

GOOD_EDGE = {
    "MXGW_DOMAINS": "example.jp",
    "MXGW_HOME": "lmtp://127.0.0.1:2525",
    "MXGW_HOSTNAME": "mx.example.jp",
}

NOT_ADDRESSES = [
    "",
    "8025",
    "0.0.0.0",
    ":8025",
    "0.0.0.0:",
    "0.0.0.0:65536",
    "::1:8025",
    "[::1]",
    "[10.0.0.1]:25",
]
NOT_NUMBERS = ["", "many", "-1", "1.5", "0x10", "1e3", "\u0663", "99999999999999"]
NOT_SECONDS = ["", "soon", "-1", "nan", "inf", "1e1", "10 s", "99999"]

# A setting without a line here fails test_no_setting_is_forgotten.
BAD: dict[str, list[str]] = {
    "MXGW_LISTEN": [*NOT_ADDRESSES, "300.0.0.1:25", "host name:25", "a..b:25"],
    "MXGW_HTTP_LISTEN": [*NOT_ADDRESSES],
    "MXGW_HOSTNAME": [
        "under_score.example",
        "-a.example",
        "a..b",
        "192.0.2.1",
        "mx@example.jp",
        "a" * 64 + ".jp",
    ],
    "MXGW_DOMAINS": [
        "",
        ",",
        "a.example,,b.example",
        "taro@example.jp",
        "*.example.jp",
        "exa mple.jp",
        "192.0.2.1",
        "file:",
        "file:/nowhere/domains.txt",
        "file:/",
        "ssm:/mxgw/domains",
        "a" * 5000,
        "\u2024.jp",
    ],
    "MXGW_HOME": [
        "",
        "mail.example:2525",
        "smtp://mail.example:25",
        "lmtp://",
        "lmtp://a:0",
        "lmtp://a:b",
        "lmtp://a/b",
    ],
    "MXGW_SOCKS5": ["127.0.0.1", "127.0.0.1:0", "socks5://127.0.0.1:1055", "127.0.0.1:99999"],
    "MXGW_PROXY_FROM": [
        "everyone",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/8,,fd00::/8",
        "10.0.0.0/8;fd00::/8",
    ],
    "MXGW_DNS": ["dns.example", "dns.example:53", "127.0.0.1:0", "127.0.0.1,", "[dns]", "1.2.3"],
    "MXGW_TLS_CERT": ["/nowhere/cert.pem", "/", "secret:arn:aws:secretsmanager:x", "\0"],
    "MXGW_TLS_KEY": ["/nowhere/key.pem", "/", "secret:arn:aws:secretsmanager:x"],
    "MXGW_MAX_MESSAGE_OCTETS": [*NOT_NUMBERS, "1000", "2GiB", "36MB", "36 mib"],
    "MXGW_CHECKS": ["", "all", "spf,dikm", "none,spf", "spf;dkim", "SPF"],
    "MXGW_DMARC": ["", "none", "Reject"],
    "MXGW_SEAL_KEY": ["", "hunter2", "secret:arn:aws:secretsmanager:x", "\udc80" * 20],
    "MXGW_WORKERS": [*NOT_NUMBERS, "0", "65"],
    "MXGW_MAX_SESSIONS": [*NOT_NUMBERS, "0"],
    "MXGW_MAX_SESSIONS_PER_CLIENT": ["2001", *NOT_NUMBERS, "0"],
    "MXGW_MAX_RECIPIENTS": [*NOT_NUMBERS, "0"],
    "MXGW_MAX_MESSAGES_PER_SESSION": [*NOT_NUMBERS, "0"],
    "MXGW_MAX_COMMANDS": [*NOT_NUMBERS, "9"],
    "MXGW_MAX_ERRORS": [*NOT_NUMBERS, "0"],
    "MXGW_MAX_RECEIVED": [*NOT_NUMBERS, "9"],
    "MXGW_MAX_SPOOL_OCTETS": [*NOT_NUMBERS, "1MiB", "65535"],
    "MXGW_SPOOL_DIR": ["/nowhere", "/dev/null"],
    "MXGW_SPOOL_MEMORY_OCTETS": [*NOT_NUMBERS, "65MiB"],
    "MXGW_HOME_CONNECTIONS": [*NOT_NUMBERS, "0"],
    "MXGW_HOME_WAITERS": [*NOT_NUMBERS],
    "MXGW_CONNECT_SECONDS": [*NOT_SECONDS, "0", "121"],
    "MXGW_RELAY_SECONDS": [*NOT_SECONDS, "0.5", "600"],
    "MXGW_DRAIN_SECONDS": [*NOT_SECONDS],
    "MXGW_PREGREET_SECONDS": [*NOT_SECONDS, "11"],
    "MXGW_RECIPIENT_CACHE_SECONDS": [*NOT_SECONDS, "31"],
    "MXGW_POSTMASTER": ["postmaster", "@example.jp", "a b@example.jp", "<a@example.jp>"],
    "MXGW_LOG": ["xml", "JSON"],
}


def mistakes_of(
    environ: dict[str, str], *, toml: Path | None = None, role: Role = Role.EDGE
) -> list[ConfigMistake]:
    outcome = load(environ, toml=toml, role=role, hostname=lambda: "mx.example.jp")
    assert isinstance(outcome, list), "no mistake was found"
    return outcome


def test_no_setting_is_forgotten() -> None:
    assert {setting.variable for setting in SETTINGS} == set(BAD)


@pytest.mark.parametrize(
    ("variable", "text"), [(name, text) for name, texts in BAD.items() for text in texts]
)
def test_a_wrong_value_is_one_mistake_that_teaches(variable: str, text: str) -> None:
    setting = next(setting for setting in SETTINGS if setting.variable == variable)

    mistakes = mistakes_of({**GOOD_EDGE, variable: text})

    assert [mistake.setting for mistake in mistakes] == [variable]
    assert setting.expected in str(mistakes[0])
    assert mistakes[0].problem
    if setting.secret and text:
        assert text not in str(mistakes[0])
        assert "(hidden)" in str(mistakes[0])
    assert str(mistakes[0]).isprintable()
    assert len(str(mistakes[0])) < 500


@pytest.mark.parametrize("text", [text for text in BAD["MXGW_DMARC"] if text])
def test_a_wrong_value_in_the_file_is_named_with_its_key_and_line(tmp_path: Path, text: str) -> None:
    toml = tmp_path / "mxgw.toml"
    toml.write_text(f'# ours\n\ndmarc = "{text}"\n')

    mistakes = mistakes_of(GOOD_EDGE, toml=toml)

    assert str(mistakes[0]) == (
        f'MXGW_DMARC="{text}" (dmarc in {toml}:3): it is none of these words; '
        "expected: one of report, quarantine, reject"
    )


def test_all_settings_wrong_at_once_are_all_named() -> None:
    mistakes = mistakes_of({variable: texts[-1] for variable, texts in BAD.items()})

    assert [mistake.setting for mistake in mistakes] == [setting.variable for setting in SETTINGS]


def test_what_is_needed_is_asked_for() -> None:
    assert {mistake.setting for mistake in mistakes_of({})} == {"MXGW_DOMAINS", "MXGW_HOME"}
    assert {mistake.setting for mistake in mistakes_of({}, role=Role.HOME)} == {"MXGW_HOME"}
    assert isinstance(load({}, role=Role.DEMO), Config)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"MXGW_TLS_CERT": __file__}, "MXGW_TLS_KEY is missing"),
        ({"MXGW_TLS_KEY": __file__}, "MXGW_TLS_CERT is missing"),
        ({"MXGW_MAX_SESSIONS": "10", "MXGW_MAX_SESSIONS_PER_CLIENT": "11"}, "more than MXGW_MAX_SESSIONS"),
        ({"MXGW_MAX_SPOOL_OCTETS": "20MiB"}, "has no room"),
        ({"MXGW_CONNECT_SECONDS": "20", "MXGW_RELAY_SECONDS": "20"}, "not less than MXGW_RELAY_SECONDS"),
        ({"MXGW_LISTEN": "127.0.0.1:25", "MXGW_HTTP_LISTEN": "127.0.0.1:25"}, "the same as MXGW_LISTEN"),
        ({"MXGW_LISTEN": "127.0.0.1:25", "MXGW_HOME": "lmtp://127.0.0.1:25"}, "for ever"),
    ],
)
def test_settings_that_disagree_are_a_mistake(environ: dict[str, str], problem: str) -> None:
    mistakes = mistakes_of({**GOOD_EDGE, **environ})

    assert len(mistakes) == 1
    assert problem in mistakes[0].problem


def test_a_wrong_setting_is_not_blamed_twice() -> None:
    mistakes = mistakes_of({**GOOD_EDGE, "MXGW_TLS_CERT": "/nowhere", "MXGW_TLS_KEY": __file__})

    assert [mistake.setting for mistake in mistakes] == ["MXGW_TLS_CERT"]


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("MXGW_LISTN", "did you mean MXGW_LISTEN?"),
        ("MXGW_HOME_CONECTIONS", "did you mean MXGW_HOME_CONNECTIONS?"),
        ("MXGW_CONFG", "did you mean MXGW_CONFIG?"),
        ("MXGW_ZZZZZZZZZZZZZZZZZ", "one of `mxgw settings`"),
    ],
)
def test_an_unknown_variable_is_a_mistake_with_a_hint(variable: str, hint: str) -> None:
    mistakes = mistakes_of({**GOOD_EDGE, variable: "1"})

    assert [mistake.setting for mistake in mistakes] == [variable]
    assert hint in str(mistakes[0])


def test_variables_of_others_are_none_of_our_business() -> None:
    assert isinstance(load({**GOOD_EDGE, "MXGWX": "1", "PATH": "/bin", "mxgw_listen": "x"}), Config)
