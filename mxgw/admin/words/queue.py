"""Mail that waits to be sent."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

QUEUE: Final = {
    "short-queue": Text("Mail that waits to be sent.", "送信待ちのメール"),
    "help-queue": Text(
        """\
Mail that was handed in for sending and has not left yet. Postfix tries again by itself
for five days, then tells the sender.

Examples:
  mxgw admin queue list
  mxgw admin queue flush""",
        """\
送信を受け付けたものの、まだ送り出せていないメールです。Postfix が 5 日間自動で再送を試み、
だめなら差出人に知らせます。

例：
  mxgw admin queue list
  mxgw admin queue flush""",
    ),
    "short-queue-list": Text("List what waits, and why.", "送信待ちのメールと理由を表示します。"),
    "help-queue-list": Text(
        """\
List the waiting mail, the oldest first, with what the other side said.

Example:
  mxgw admin queue list""",
        """\
送信待ちのメールを古い順に、相手側の返答とともに表示します。

例：
  mxgw admin queue list""",
    ),
    "short-queue-show": Text("Show one message.", "1 通の詳細を表示します。"),
    "help-queue-show": Text(
        """\
Show to whom a message goes, why it waits, and its header; never its text.

Example:
  mxgw admin queue show 4c7Wl23X9kz1Q""",
        """\
宛先、待っている理由、ヘッダーを表示します。本文は表示しません。

例：
  mxgw admin queue show 4c7Wl23X9kz1Q""",
    ),
    "short-queue-flush": Text("Try to send now.", "すぐに再送を試みます。"),
    "help-queue-flush": Text(
        """\
Try to send now: one message, or everything that waits. Use it when the cause is mended.

Examples:
  mxgw admin queue flush
  mxgw admin queue flush 4c7Wl23X9kz1Q""",
        """\
1 通、またはすべての送信待ちメールの再送をすぐに試みます。原因を直したあとに使います。

例：
  mxgw admin queue flush
  mxgw admin queue flush 4c7Wl23X9kz1Q""",
    ),
    "short-queue-remove": Text("Throw one message away.", "1 通を破棄します。"),
    "help-queue-remove": Text(
        """\
Throw a waiting message away. It is not sent, and its sender is not told: tell them.

Example:
  mxgw admin queue remove 4c7Wl23X9kz1Q""",
        """\
送信待ちのメールを破棄します。送信されず、差出人にも通知されないので、必要なら別途
伝えてください。

例：
  mxgw admin queue remove 4c7Wl23X9kz1Q""",
    ),
    "column-mail": Text("id", "メール ID"),
    "column-age": Text("waits for", "待ち時間"),
    "column-size": Text("size", "大きさ"),
    "column-mail-from": Text("from", "差出人"),
    "column-mail-to": Text("to", "宛先"),
    "column-reason": Text("why", "理由"),
    "age-minutes": Text("{count} min", "{count} 分"),
    "age-hours": Text("{count} h", "{count} 時間"),
    "age-days": Text("{count} days", "{count} 日"),
    "ask-queue-id": Text(
        "Id of the message (mxgw admin queue list):", "メールの ID（mxgw admin queue list で確認）："
    ),
    "ask-remove-mail": Text(
        "Throw away the message {id} from {sender} to {recipients}?",
        "{sender} から {recipients} 宛てのメール {id} を破棄しますか？",
    ),
    "queue-empty": Text("Nothing waits: all mail has left.", "送信待ちのメールはありません。"),
    "queue-on-its-way": Text("on its way", "送信中"),
    "queue-message": Text(
        "{id}, waiting for {age}, from {sender} to {recipients}",
        "{id}（{age}待機中）　{sender} → {recipients}",
    ),
    "queue-reason": Text("Why: {reason}", "理由：{reason}"),
    "queue-flushed": Text("Postfix tries all of them now.", "すべての再送を始めました。"),
    "queue-tried": Text("Postfix tries {id} now.", "{id} の再送を始めました。"),
    "queue-removed": Text("{id} is thrown away.", "{id} を破棄しました。"),
    "queue-has-no-such": Text(
        "No message {id} waits; mxgw admin queue list shows those that do.",
        "{id} というメールは送信待ちにありません。mxgw admin queue list で確認してください。",
    ),
    "bad-queue-id": Text(
        "{text!r} is no id of a message; mxgw admin queue list shows them.",
        "{text!r} はメールの ID ではありません。mxgw admin queue list で確認してください。",
    ),
    "postfix-stopped": Text(
        "Postfix, which sends the mail, does not run; start it: mxgw doctor --repair",
        "メールを送る Postfix が動いていません。起動するには：mxgw doctor --repair",
    ),
    "queue-says-no": Text(
        "Postfix could not do it (docker compose ps postfix): {why}",
        "Postfix が処理できませんでした（docker compose ps postfix で確認してください）：{why}",
    ),
}
