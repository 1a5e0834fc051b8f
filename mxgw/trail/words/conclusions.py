"""The sentence that says what became of a message."""

# ruff: noqa: E501, RUF001
# Texts are shown in the lines they stand in; Japanese has its own brackets and colons.

from __future__ import annotations

from typing import Final

from mxgw.trail.words.text import Text

CONCLUSIONS: Final = {
    "fate-stored": Text(
        "Stored{place}{whom} at {at}, at the first attempt.",
        "{at} に、1 回目の配送で{whom}{place}保存されました。",
    ),
    "fate-stored-after-retry": Text(
        "Put off {times} since {since}, came again and was stored once{place}{whom} at {at}.",
        "{since} から {times}延期されたあと再送され、{at} に{whom}{place}重複なく保存されました。",
    ),
    "fate-stored-once": Text(
        "Came again after it was stored{place}{whom} at {at}: home knows it by its fingerprint and keeps one copy.",
        "{at} に{whom}{place}保存されたあと、もう一度届きました。家のサーバーはフィンガープリントで同じメールと分かるため、1 通だけ残ります。",
    ),
    "fate-stored-perhaps-twice": Text(
        "Came again after it was stored{place}{whom} at {at}, without a fingerprint: there may be two copies.",
        "{at} に{whom}{place}保存されたあと、フィンガープリントなしでもう一度届きました。2 通あるかもしれません。",
    ),
    "fate-refused": Text(
        "Refused for good{whom} at {at}: {said}; to tell the author is up to the sender's server.",
        "{at} に{whom}受け取りを拒否しました（{said}）。送信者への通知は、送信側のサーバーが行います。",
    ),
    "fate-refused-again": Text(
        "Home refused it for good{whom} at {at}: {said}; the sender was asked to come again all the same, as others of that transaction had to wait.",
        "{at} に家のサーバーが{whom}拒否しました（{said}）。同じ配送に延期した宛先があるため、送信側には再送を求めました。",
    ),
    "fate-put-off-now": Text(
        "Put off at {last} and not yet back; senders usually give up after 4 to 5 days, here between {early} and {late}.",
        "{last} に延期され、まだ再送されていません。送信側は通常 4～5 日であきらめます（このメールでは {early} から {late} の間）。",
    ),
    "fate-put-off": Text(
        "Put off {times} since {since} and not yet back since {last}; senders usually give up after 4 to 5 days, here between {early} and {late}.",
        "{since} から {times}延期され、{last} を最後にまだ再送されていません。送信側は通常 4～5 日であきらめます（このメールでは {early} から {late} の間）。",
    ),
    "fate-given-up": Text(
        "Put off {times}, last at {last}, and not seen again for more than 5 days: the sender has given up and told the author.",
        "{times}延期され、{last} を最後に 5 日以上再送がありません。送信側はあきらめ、送信者に通知したはずです。",
    ),
    "fate-left": Text(
        "The client went away at {last} before the message was through, and is not yet back; senders usually give up after 4 to 5 days, here between {early} and {late}.",
        "{last} に、メールを送り終える前に相手が接続を切り、まだ再送されていません。送信側は通常 4～5 日であきらめます（このメールでは {early} から {late} の間）。",
    ),
    "fate-mixed": Text(
        "It went differently for its recipients: {parts}.", "宛先ごとに結果が違います：{parts}。"
    ),
    "part-stored": Text("stored{place} for {names}", "{names} は{place}保存"),
    "part-refused": Text("refused for good for {names} ({said})", "{names} は拒否（{said}）"),
    "part-put-off": Text(
        "put off and not yet back for {names} (senders give up between {early} and {late})",
        "{names} は延期中でまだ再送なし（{early} から {late} の間に送信側があきらめます）",
    ),
    "part-left": Text("not finished for {names}: the client went away", "{names} は相手の切断により未完了"),
    "part-again": Text(
        "the sender was asked to come again for all of them, which is safe",
        "送信側にはすべての宛先について再送を求めました（二重にはなりません）",
    ),
    "part-join": Text("; ", "、"),
    "times-one": Text("once", "1 回"),
    "times-many": Text("{count} times", "{count} 回"),
    "whom-all": Text(" for all {count} recipients", "宛先 {count} 件すべてに"),
    "place-junk-edge": Text(
        " in the Junk folder, as the checks of the sender failed ({checks}),",
        "、送信者の確認に失敗したため（{checks}）迷惑メールフォルダーに",
    ),
    "place-junk-scanner": Text(
        " in the Junk folder, as the content scanner asked for it ({checks}),",
        "、迷惑メール判定（{checks}）により迷惑メールフォルダーに",
    ),
    "names-more": Text("{names} and {count} more", "{names} ほか {count} 件"),
    "nothing-said": Text("no reason is in the log", "理由はログにありません"),
}
