"""Draws the screens of phones and PCs for docs/en/phone.md and docs/ja/phone.md.

``python -m tests.guides.drawings`` writes them anew. They are drawings, not screenshots: what has to be typed
where, in the words that each program uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOST = "mailserver.tail1234.ts.net"
USER = "taro@example.jp"
ROW, WIDTH, MARGIN = 34, 460, 16


@dataclass(frozen=True, slots=True)
class Screen:
    """``rows`` are headings (one word) and fields (label and value), from the top."""

    name: str
    title: str
    rows: Sequence[tuple[str, ...]]


def screens(language: str) -> Iterator[Screen]:
    """The three of them."""
    ja = language == "ja"

    def say(english: str, japanese: str) -> str:
        return japanese if ja else english

    incoming, outgoing = (
        say("Incoming mail server", "受信メールサーバ"),
        say("Outgoing mail server", "送信メールサーバ"),
    )
    host, user, password = (
        say("Host Name", "ホスト名"),
        say("User Name", "ユーザ名"),
        say("Password", "パスワード"),
    )
    yield Screen(
        "ios",
        say("New Account   IMAP", "新規アカウント　IMAP"),
        [
            (say("Name", "名前"), "Taro"),
            (say("Email", "メール"), USER),
            (incoming,),
            (host, HOST),
            (user, USER),
            (password, "••••••••"),
            (outgoing,),
            (host, HOST),
            (user, USER),
            (password, "••••••••"),
            (say("then, in Advanced", "続いて「詳細」で"),),
            (say("Use SSL / Server Port", "SSL を使用 / サーバポート"), say("on / 993", "オン / 993")),
            (say("Outgoing: Use SSL / Port", "送信で SSL を使用 / ポート"), say("on / 465", "オン / 465")),
        ],
    )
    server = say("Server", "サーバー")
    port, security = say("Port", "ポート"), say("Security type", "セキュリティの種類")
    yield Screen(
        "android",
        say("Add your email address", "メールアドレスの追加"),
        [
            (say("Incoming server settings", "受信サーバーの設定"),),
            (say("Username", "ユーザー名"), USER),
            (say("Password", "パスワード"), "••••••••"),
            (server, HOST),
            (port, "993"),
            (security, "SSL/TLS"),
            (say("Outgoing server settings", "送信サーバーの設定"),),
            (say("Require sign-in", "ログインが必要"), say("on", "オン")),
            (server, HOST),
            (port, "465"),
            (security, "SSL/TLS"),
        ],
    )
    normal = say("Normal password", "通常のパスワード認証")
    names = (
        say("Hostname", "ホスト名"),
        say("Port", "ポート番号"),
        say("Connection security", "接続の保護"),
        say("Authentication method", "認証方式"),
        say("Username", "ユーザー名"),
    )
    yield Screen(
        "thunderbird",
        say("Manual configuration", "手動設定"),
        [
            (say("INCOMING SERVER", "受信サーバー"),),
            (say("Protocol", "プロトコル"), "IMAP"),
            *zip(names, (HOST, "993", "SSL/TLS", normal, USER), strict=True),
            (say("OUTGOING SERVER", "送信サーバー"),),
            *zip(names, (HOST, "465", "SSL/TLS", normal, USER), strict=True),
        ],
    )


def draw(screen: Screen) -> str:
    """The screen as SVG."""
    height = (len(screen.rows) + 2) * ROW
    font = "font-family=\"-apple-system, 'Hiragino Sans', 'Noto Sans CJK JP', sans-serif\""
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" {font}'
            f' font-size="14" role="img" aria-label="{escape(screen.title)}">'
        ),
        (
            f'<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="18" fill="#f2f2f7"'
            ' stroke="#8e8e93" stroke-width="2"/>'
        ),
        (
            f'<text x="{WIDTH / 2:g}" y="32" text-anchor="middle" font-weight="bold" font-size="16">'
            f"{escape(screen.title)}</text>"
        ),
    ]
    for index, row in enumerate(screen.rows):
        top = ROW * 1.5 + index * ROW
        if len(row) == 1:
            parts.append(f'<text x="{MARGIN}" y="{top + 24:g}" fill="#6d6d72">{escape(row[0])}</text>')
            continue
        parts += [
            (
                f'<rect x="{MARGIN}" y="{top + 2:g}" width="{WIDTH - 2 * MARGIN}" height="{ROW - 3}" rx="6"'
                ' fill="#ffffff"/>'
            ),
            f'<text x="{MARGIN + 10}" y="{top + 22:g}">{escape(row[0])}</text>',
            (
                f'<text x="{WIDTH - MARGIN - 10}" y="{top + 22:g}" text-anchor="end" fill="#0a5fb4">'
                f"{escape(row[1])}</text>"
            ),
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def drawings() -> Iterator[tuple[Path, str]]:
    """Every file with its content."""
    for language in ("en", "ja"):
        for screen in screens(language):
            yield DOCS / language / f"phone-{screen.name}.svg", draw(screen)


if __name__ == "__main__":
    for path, text in drawings():
        path.write_text(text)
