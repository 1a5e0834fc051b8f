"""What --help says. Lines are shown as they stand here."""

# ruff: noqa: RUF001
# Japanese has its own brackets and colons.

from __future__ import annotations

from typing import Final

from mxgw.trail.words.text import Text

HELP: Final = {
    "help-trace": Text(
        """\
Where is my mail? Follow a message that came in, or that we sent, through the logs.

WHAT is an address (of the sender or a recipient, as the envelope had it), a
Message-ID, the id in our answer "OK, the mailbox has it; id ...", a queue id of
Postfix, or a fingerprint.

On the mail server at home, as root, that is all: the logs of its own containers are
read. They know mail that came as far as home, and mail that our users sent. Mail that
the edge at AWS refused or put off is in the edge's log alone: --log-group.

FILE is a log: JSON lines, plain or gzip, a directory of them, what CloudWatch gives
(aws logs filter-log-events, aws logs tail, an export to S3), or - for stdin. Logs of
several edges, of the home door, of Dovecot and of Postfix may be given together, files
beside a log group; Dovecot's tells into which folder a message went, Postfix's where a
message went that one of us sent.

Of mail that came in, each attempt is shown with the checks that were made, what home
said for each recipient, and what the sender was told; then what became of it, and what
to do. Attempts are of one message if their fingerprints agree, or the Message-ID and
the sender. Of mail that was sent, what became of it comes first: handed over to
SendGrid, waiting, refused, not even taken in; then each attempt, the last one first.
Times without a zone are in the zone of this machine (TZ).

The exit code is 0 where something was found, 1 where nothing was or a log broke off,
2 where the request is the mistake.

Examples:
  mxgw trace friend@example.net
  mxgw trace taro@example.jp --log-group /mxgw/mxgw-base/gateway --since 1d
  mxgw trace '<20261124.1@example.com>' edge.log home.log
  mxgw trace 1a20d5af8ac7ad750002 --log-group /mxgw/mxgw-base/gateway --since 2026-11-20 --until 2026-11-22
  mxgw trace friend@example.net postfix.log dovecot.log
  mxgw trace taro@example.jp edge.log --json | jq -r '.messages[].conclusion'
""",
        """\
メールの行方を調べます。届いたメールも、家の人が送ったメールも、ログから追跡します。

WHAT には、アドレス（封筒の送信者か宛先）、Message-ID、応答の「OK, the mailbox has it;
id ...」にある id、Postfix のキュー ID、またはフィンガープリントを指定します。

自宅のメールサーバーでは、root で WHAT だけを指定すれば、コンテナのログを読みます。
家まで届いたメールと、家の人が送ったメールが分かります。AWS のエッジが拒否または延期した
メールは、エッジのログにしかありません（--log-group）。

FILE はログです。JSON Lines（gzip も可）、そのディレクトリー、CloudWatch から取得したもの
（aws logs filter-log-events、aws logs tail、S3 へのエクスポート）、標準入力なら - です。
複数のエッジ、家の入口、Dovecot、Postfix のログ、ファイルとロググループは、一緒に指定
できます。Dovecot のログがあれば保存先のフォルダーが、Postfix のログがあれば送ったメールの
行方が分かります。

届いたメールは、配送 1 回ごとに、検査結果、宛先ごとの家の応答、送信側への応答を示し、
最後に結果と対処を示します。フィンガープリント、または Message-ID と送信者が同じなら、
同じメールとみなします。送ったメールは、結果（SendGrid へ渡した、送信待ち、拒否された、
受け付けなかった）と対処を先に示し、続けて配送を新しい順に示します。
タイムゾーンのない日時は、このマシンのもの（TZ）です。

終了コードは、見つかれば 0、見つからないかログが途中で切れていれば 1、指定の誤りは 2 です。

Examples（例）:
  mxgw trace friend@example.net
  mxgw trace taro@example.jp --log-group /mxgw/mxgw-base/gateway --since 1d
  mxgw trace '<20261124.1@example.com>' edge.log home.log
  mxgw trace 1a20d5af8ac7ad750002 --log-group /mxgw/mxgw-base/gateway --since 2026-11-20 --until 2026-11-22
  mxgw trace friend@example.net postfix.log dovecot.log
  mxgw trace taro@example.jp edge.log --json | jq -r '.messages[].conclusion'
""",
    ),
    "option-since": Text(
        "How far back: 30m, 12h, 1d, 2w, or a date.\n[default: 1d with --log-group, all of it in files]",
        "いつから。30m、12h、1d、2w、または日時。\n省略時は --log-group なら 1d、ファイルならすべて。",
    ),
    "option-until": Text(
        "Until when, likewise; this moment is no longer in it. [default: now]",
        "いつまで（その時刻は含みません）。書き方は同じ。省略時は現在。",
    ),
    "option-log-group": Text(
        "Log group of the edge in CloudWatch Logs; may be repeated.",
        "エッジの CloudWatch ロググループ（複数可）。",
    ),
    "option-number": Text(
        "Show only this one of several messages.", "一致したメールのうち、この番号だけを表示します。"
    ),
}
