"""What the commands of the watch say: help, columns, sentences."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

WATCH_COMMANDS: Final = {
    "short-watch": Text(
        "Look after the server; tell what goes wrong.", "サーバーを見張り、異常を知らせます。"
    ),
    "help-watch": Text(
        """\
Looks at everything once (a timer does so each minute): containers, disks, queue,
Tailscale, certificates, backup, virus signatures, SendGrid's limit, mail that waits.
Tells by mail, Slack, Discord or LINE what has changed, once, and when it is well again.

Examples:
  mxgw admin watch --show     how everything was at the last look
  mxgw admin alert test       try the notices""",
        """\
すべてを一度確認します（タイマーが毎分実行）：コンテナ、ディスク、送信待ち、Tailscale、
証明書、バックアップ、ウイルス定義、SendGrid の上限、送信側で待っているメール。
変化があればメール、Slack、Discord、LINE で一度だけ知らせ、復旧したときも知らせます。

例：
  mxgw admin watch --show     前回の確認結果を表示
  mxgw admin alert test       通知の試験""",
    ),
    "option-show": Text("Show the last look; look at nothing.", "前回の結果を表示するだけにします。"),
    "short-alert": Text("Try the notices.", "通知の試験"),
    "help-alert": Text(
        """\
Notices: by mail, Slack, Discord, LINE.

Example:
  mxgw admin alert test""",
        """\
通知：メール、Slack、Discord、LINE。

例：
  mxgw admin alert test""",
    ),
    "short-alert-test": Text("Send one notice to each.", "各通知先に 1 通ずつ送ります。"),
    "help-alert-test": Text(
        """\
Sends one notice to each place that .env names:
  ALERT_MAIL_TO                     an address, best one outside of this server
  ALERT_WEBHOOK                     the address of a webhook of Slack or Discord
  LINE_CHANNEL_TOKEN and LINE_TO    LINE's Messaging API

Example:
  mxgw admin alert test""",
        """\
.env に書かれた通知先それぞれに試験の通知を送ります：
  ALERT_MAIL_TO                     メールアドレス（このサーバーの外のものを推奨）
  ALERT_WEBHOOK                     Slack か Discord の Webhook の URL
  LINE_CHANNEL_TOKEN と LINE_TO     LINE Messaging API

例：
  mxgw admin alert test""",
    ),
    "short-waiting": Text("Which mail waits at its sender.", "送信側で待っているメールの一覧"),
    "help-waiting": Text(
        """\
Reads the log of the edge: which mails were told to come again, since when, and until
when their senders try. Files, directories, "-" for a pipe, or a group of CloudWatch.

Examples:
  mxgw admin waiting --log-group /mxgw/mxgw-base/gateway
  mxgw admin waiting edge.log""",
        """\
エッジのログから、再送待ちのメール、いつからか、いつまで送信側が再送するかを表示します。
ファイル、ディレクトリ、パイプ（-）、CloudWatch のロググループを読めます。

例：
  mxgw admin waiting --log-group /mxgw/mxgw-base/gateway
  mxgw admin waiting edge.log""",
    ),
    "waiting-reading": Text("reading", "読み込み中"),
    "option-waiting-group": Text(
        "Log group of CloudWatch, may be repeated. [default: $EDGE_LOG_GROUP of .env]",
        "CloudWatch のロググループ（複数可）。省略時は .env の EDGE_LOG_GROUP。",
    ),
    "waiting-no-source": Text(
        "Which log? Name files, --log-group, or set EDGE_LOG_GROUP in .env.",
        "ログを指定してください：ファイル名、--log-group、または .env の EDGE_LOG_GROUP。",
    ),
    "waiting-no-file": Text("There is no file {path}.", "ファイル {path} がありません。"),
    "waiting-none": Text("No mail waits at its sender.", "送信側で待っているメールはありません。"),
    "waiting-no-record": Text(
        "There is no record of any mail in this log. Is it the log of the edge?",
        "このログにはメールの記録がありません。エッジのログかどうか確認してください。",
    ),
    "waiting-log-refused": Text("The log cannot be read: {why}", "ログを読めません：{why}"),
    "waiting-unreadable": Text(
        "The log has records that this version cannot read ({first}); the list is not complete.",
        "この版では読めない記録がログにあります（{first}）。一覧は完全ではありません。",
    ),
    "waiting-cut": Text(
        "There is more than could be read; the list is not complete.",
        "量が多いため一部しか読めませんでした。一覧は完全ではありません。",
    ),
    "column-severity": Text("state", "状態"),
    "column-sentence": Text("what is so", "内容"),
    "column-id": Text("check", "項目"),
    "column-sender": Text("sender", "送信者"),
    "column-recipients": Text("for", "宛先"),
    "column-tries": Text("tries", "試行"),
    "column-first": Text("first try", "最初の試行"),
    "column-gives-up": Text("safe until", "期限"),
    "column-channel": Text("by", "通知先"),
    "column-ill-since": Text("since", "いつから"),
    "severity-good": Text("good", "正常"),
    "severity-warning": Text("warning", "注意"),
    "severity-bad": Text("trouble", "異常"),
    "watch-never": Text(
        "The watch has not run yet: mxgw admin watch", "まだ一度も確認していません：mxgw admin watch"
    ),
    "watch-at": Text("As of {at}.", "{at} 現在。"),
    "watch-unwritable": Text(
        "{path} cannot be written ({why}); run this as root.",
        "{path} に書き込めません（{why}）。root として実行してください。",
    ),
    "alert-nowhere": Text(
        "No place for notices is set. Fill in ALERT_MAIL_TO, ALERT_WEBHOOK or LINE_CHANNEL_TOKEN and LINE_TO in .env.",
        "通知先が設定されていません。.env の ALERT_MAIL_TO、ALERT_WEBHOOK、または LINE_CHANNEL_TOKEN と LINE_TO を記入してください。",
    ),
    "alert-sent": Text("Sent; look whether it is there.", "送信しました。届いたか確認してください。"),
    "alert-failed": Text(
        "It did not get through: {why}. Are its lines in .env right, and is the internet there?",
        "送れませんでした：{why}。.env の設定とインターネット接続を確認してください。",
    ),
    "alert-line-half": Text(
        "LINE needs both LINE_CHANNEL_TOKEN and LINE_TO in .env; one of them is empty.",
        "LINE への通知には .env の LINE_CHANNEL_TOKEN と LINE_TO の両方が必要です。片方が空です。",
    ),
}
