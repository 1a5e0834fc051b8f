"""What the commands of updates say."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

UPDATE: Final = {
    "short-update": Text("Newer versions of the services.", "サービスの更新"),
    "help-update": Text(
        """\
Fetches repaired images of the services and restarts them one by one. A timer does
it between 2:00 and 4:00 (Japan); a backup comes first. A service that does not
get healthy goes back to its old image by itself.

Example:
  mxgw admin update status""",
        """\
各サービスの修正版イメージを取得し、1 つずつ再起動します。タイマーが日本時間の
2 時から 4 時に行い、先にバックアップをとります。正常にならないサービスは自動で
元のイメージに戻します。

例：
  mxgw admin update status""",
    ),
    "short-update-now": Text("Update what is new.", "更新を実行"),
    "help-update-now": Text(
        """\
Updates what is new, between 2:00 and 4:00 (Japan) only, unless --now is given.
A service that was not healthy before is left as it is. An image that was not
healthy is not tried again, unless --retry is given. Ctrl-C stops it: the service
in hand goes back to its old image first.

Examples:
  mxgw admin update now --now
  mxgw admin update now --now --retry""",
        """\
新しいものを更新します。日本時間 2 時から 4 時の間だけ動きます（--now を付けると
すぐに行います）。もともと正常でないサービスは更新しません。一度正常にならなかった
イメージは、--retry を付けない限り再び試しません。Ctrl-C で中止でき、作業中の
サービスは元のイメージに戻します。

例：
  mxgw admin update now --now
  mxgw admin update now --now --retry""",
    ),
    "short-update-status": Text("What the last update came to.", "前回の結果"),
    "help-update-status": Text(
        """\
Shows what the last update came to, service by service.

Example:
  mxgw admin update status""",
        """\
前回の更新の結果をサービスごとに表示します。

例：
  mxgw admin update status""",
    ),
    "option-update-now": Text("At once, whatever time it is.", "時間帯にかかわらず、すぐに更新します。"),
    "option-update-retry": Text(
        "Try images again that were not healthy.", "正常にならなかったイメージも、もう一度試します。"
    ),
    "column-service": Text("service", "サービス"),
    "column-outcome": Text("result", "結果"),
    "update-pulling": Text("Looking for newer images ...", "新しいイメージを確認しています…"),
    "update-backup": Text(
        "There is something new. A backup comes first ...",
        "新しいものがあります。先にバックアップをとります…",
    ),
    "update-begun": Text(
        "{service}: restarts with the new image; waiting until it is healthy ...",
        "{service}：新しいイメージで再起動し、正常になるのを待っています…",
    ),
    "update-updated": Text("{service}: updated and healthy.", "{service}：更新し、正常です。"),
    "update-rolled-back": Text(
        "{service}: the new image was not healthy; it runs on the old one again.",
        "{service}：新しいイメージが正常にならないため、元に戻しました。",
    ),
    "update-broken": Text(
        "{service}: not healthy, not even on the old image: docker compose logs {service}",
        "{service}：元のイメージでも正常になりません。docker compose logs {service} を確認してください。",
    ),
    "update-left": Text(
        "{service}: was not healthy before, so it was not updated: docker compose logs {service}",
        "{service}：更新前から正常でないため更新していません。docker compose logs {service} を確認してください。",
    ),
    "update-held": Text(
        "{service}: the newest image was not healthy before; it stays on the old one until there is a newer one.",
        "{service}：最新のイメージは前回正常にならなかったため、次の版が出るまで元のイメージで動かします。",
    ),
    "update-postponed": Text(
        "{service}: not yet updated; the next night does it.",
        "{service}：まだ更新していません。次の夜に行います。",
    ),
    "update-service-stopped": Text(
        "{service}: stopped in the middle; it runs on the old image.",
        "{service}：途中で中止したため、元のイメージに戻しました。",
    ),
    "update-stopped": Text(
        "The update was stopped; what has not been updated runs on its old image.",
        "更新を中止しました。更新していないものは元のイメージで動いています。",
    ),
    "update-done": Text("Services updated: {count}.", "更新したサービス：{count} 個。"),
    "update-nothing": Text("All images are the newest.", "すべて最新です。"),
    "update-last": Text(
        "Last update {finished} (Japan): all well.", "前回の更新 {finished}：正常に終わりました。"
    ),
    "update-last-not-well": Text(
        "Last update {finished} (Japan): {why}",
        "前回の更新 {finished}：{why}",
    ),
    "update-outside-window": Text(
        "Updates are made between 2:00 and 4:00 (Japan); --now does it at once.",
        "更新は日本時間 2 時から 4 時に行います。すぐに行うには --now を付けてください。",
    ),
    "update-running": Text(
        "Another update is running; mxgw admin update status shows later what came of it.",
        "別の更新が実行中です。結果はあとで mxgw admin update status で確認できます。",
    ),
    "update-unwritable": Text(
        "{path} cannot be written ({why}); run this as root: sudo mxgw admin update now",
        "{path} に書き込めません（{why}）。root で実行してください：sudo mxgw admin update now",
    ),
    "update-pull-failed": Text(
        "The images could not be fetched: {why}. Nothing was changed.",
        "イメージを取得できません：{why}。何も変更していません。",
    ),
    "update-never": Text(
        "There was no update yet: systemctl list-timers 'mxgw-*' tells when the next one is.",
        "まだ更新していません。次回の予定は systemctl list-timers 'mxgw-*' で確認できます。",
    ),
    "update-state-damaged": Text(
        "{path} cannot be read; the next update writes it anew.",
        "{path} を読めません。次の更新で書き直されます。",
    ),
}
