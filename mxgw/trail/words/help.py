"""What --help says. Lines are shown as they stand here."""

# ruff: noqa: RUF001
# Japanese has its own brackets and colons.

from __future__ import annotations

from typing import Final

from mxgw.trail.words.text import Text

HELP: Final = {
    "help-trace": Text(
        """\
Where is my mail? Follow a message through the log of the edge, and of the home door.

WHAT is an address (of the sender or a recipient, as the envelope had it), a
Message-ID, the id in our answer "OK, the mailbox has it; id ...", or a fingerprint.

FILE is a log: JSON lines, plain or gzip, a directory of them, what CloudWatch gives
(aws logs filter-log-events, aws logs tail, an export to S3), or - for stdin. Logs of
several edges, of the home door and of Dovecot may be given together, files beside a
log group; Dovecot's tells into which folder a message went. On the mail server at home
no FILE is needed at a terminal: its own containers' logs are read.

Each attempt is shown with the checks that were made, what home said for each
recipient, and what the sender was told; then what became of the message, and what
to do. Attempts are of one message if their fingerprints agree, or the Message-ID and
the sender. Times without a zone are in the zone of this machine (TZ).

The exit code is 0 where something was found, 1 where nothing was or a log broke off,
2 where the request is the mistake.

Examples:
  mxgw trace taro@example.jp --log-group /mxgw/mail/gateway --since 1d
  mxgw trace '<20261124.1@example.com>' edge.log home.log
  mxgw trace 1a20d5af8ac7ad750002 --log-group /mxgw/mail/gateway --since 2026-11-20 --until 2026-11-22
  mxgw trace hanako@example.jp
  mxgw trace taro@example.jp edge.log --json | jq -r '.messages[].conclusion'
""",
        """\
メールの行方を調べます。エッジと家の入口のログから、1 通のメールを追跡します。

WHAT には、アドレス（封筒の送信者か宛先）、Message-ID、応答の「OK, the mailbox has it;
id ...」にある id、またはフィンガープリントを指定します。

FILE はログです。JSON Lines（gzip も可）、そのディレクトリー、CloudWatch から取得したもの
（aws logs filter-log-events、aws logs tail、S3 へのエクスポート）、標準入力なら - です。
複数のエッジ、家の入口、Dovecot のログ、ファイルとロググループは、一緒に指定できます。
Dovecot のログがあれば、保存先のフォルダーも分かります。自宅のメールサーバーの端末では、
FILE を省略するとコンテナのログを読みます。

配送 1 回ごとに、検査結果、宛先ごとの家の応答、送信側への応答を示し、最後に結果と対処を
1 文で示します。フィンガープリント、または Message-ID と送信者が同じなら、同じメールと
みなします。タイムゾーンのない日時は、このマシンのもの（TZ）です。

終了コードは、見つかれば 0、見つからないかログが途中で切れていれば 1、指定の誤りは 2 です。

Examples（例）:
  mxgw trace taro@example.jp --log-group /mxgw/mail/gateway --since 1d
  mxgw trace '<20261124.1@example.com>' edge.log home.log
  mxgw trace 1a20d5af8ac7ad750002 --log-group /mxgw/mail/gateway --since 2026-11-20 --until 2026-11-22
  mxgw trace hanako@example.jp
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
