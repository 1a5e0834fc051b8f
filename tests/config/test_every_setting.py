"""Each setting, wrong in turn: the mistake names the variable, what was said, and what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from mxgw.config import SETTINGS, Config, ConfigMistake, Role, load
from tests.config.bad_values import BAD

GOOD_EDGE = {
    "MXGW_DOMAINS": "example.jp",
    "MXGW_HOME": "lmtp://127.0.0.1:2525",
    "MXGW_HOSTNAME": "mx.example.jp",
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
