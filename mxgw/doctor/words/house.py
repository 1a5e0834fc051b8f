"""What the doctor says of the house that it runs in, and of repairs there."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

HOUSE: Final = {
    "option-house": Text(
        "This house alone: containers, disks, queue, backup ...; nothing outside is asked.",
        "このサーバーだけを調べます（コンテナ、ディスク、送信待ち、バックアップなど）。",
    ),
    "option-doctor-repair": Text(
        "Carry out the repairs that there are; each is asked for.",
        "可能な修復を行います。一つずつ確認します。",
    ),
    "option-doctor-yes": Text("With --repair: do not ask.", "--repair と併用し、確認せずに行います。"),
    "doctor-yes-alone": Text(
        "--yes says yes to repairs; to have them made: mxgw doctor --repair --yes",
        "--yes は修復の確認を省くものです。修復するには：mxgw doctor --repair --yes",
    ),
    "doctor-repair-needs-yes": Text(
        "nobody can be asked here; to have everything repaired without a question: mxgw doctor --repair --yes",
        "この環境では確認できません。確認なしですべて修復するには：mxgw doctor --repair --yes",
    ),
    "doctor-repair-elsewhere": Text(
        "repairs are made on the mail server at home; there is no .env of it here.",
        "修復は自宅のメールサーバー上で行います。この機械には .env がありません。",
    ),
    "doctor-house-alone": Text(
        "--house looks at this house alone; leave out --edge, --domain and --send.",
        "--house はこのサーバーだけを調べます。--edge、--domain、--send とは併用できません。",
    ),
    "doctor-no-house": Text(
        "there is no .env of a mail server here; run it on the machine at home, or set MXGW_STACK.",
        "この機械にはメールサーバーの .env がありません。自宅のサーバーで実行するか、MXGW_STACK を指定してください。",
    ),
    "doctor-looking-here": Text("Looking at this house ...", "このサーバーを調べています..."),
    "house-title": Text("This house", "このサーバー"),
    "house-containers-well": Text(
        "{count} containers run: {names}.", "{count} 個のコンテナが動いています：{names}。"
    ),
    "house-by-hand-up": Text(
        "by hand: cd /opt/mxgw/dell-stack && docker compose up -d {name}; docker compose logs --tail 50 {name} says why it ended.",
        "手で行うなら cd /opt/mxgw/dell-stack && docker compose up -d {name}。止まった理由は docker compose logs --tail 50 {name} でわかります。",
    ),
    "house-by-hand-restart": Text(
        "by hand: cd /opt/mxgw/dell-stack && docker compose restart {name}; docker compose logs --tail 50 {name} says what is wrong.",
        "手で行うなら cd /opt/mxgw/dell-stack && docker compose restart {name}。原因は docker compose logs --tail 50 {name} でわかります。",
    ),
    "house-watch-well": Text(
        "The watch ran {minutes} minutes ago; it tells you of trouble.",
        "見張りは {minutes} 分前に動きました。異常があれば通知します。",
    ),
    "house-watch-never": Text(
        "The watch has never run: nobody tells you of trouble.",
        "見張りがまだ一度も動いていません。異常があっても通知されません。",
    ),
    "house-watch-old": Text(
        "The watch has not run for {minutes} minutes: nobody tells you of trouble.",
        "見張りが {minutes} 分間動いていません。異常があっても通知されません。",
    ),
    "house-watch-mend": Text(
        "sudo systemctl enable --now mxgw-watch.timer; systemctl status mxgw-watch says why it fails.",
        "sudo systemctl enable --now mxgw-watch.timer を実行してください。失敗の理由は systemctl status mxgw-watch でわかります。",
    ),
    # -- repairs
    "ask-repair-up": Text(
        "Start what is missing (docker compose up -d {name})?",
        "足りないものを起動しますか（docker compose up -d {name}）？",
    ),
    "ask-repair-up-all": Text(
        "Start the whole mail server (docker compose up -d)? It takes some minutes.",
        "メールサーバー全体を起動しますか（docker compose up -d）？数分かかります。",
    ),
    "ask-repair-start": Text("Start {name}?", "{name} を起動しますか？"),
    "ask-repair-restart": Text(
        "Restart {name}? Mail waits meanwhile.", "{name} を再起動しますか？その間メールは待たされます。"
    ),
    "ask-repair-renew": Text("Renew the certificate?", "証明書を更新しますか？"),
    "ask-repair-reload": Text(
        "Have {name} read the new certificate? Nobody is disconnected.",
        "{name} に新しい証明書を読み込ませますか？接続は切れません。",
    ),
    "ask-repair-flush": Text(
        "The relay answers. Try to send now what waits?",
        "送信先のリレーは応答しています。待っているメールを今すぐ送りますか？",
    ),
    "ask-repair-backup": Text(
        "Make a backup now? It may take long; mail flows on.",
        "今すぐバックアップしますか？時間がかかることがありますが、メールは止まりません。",
    ),
    "ask-repair-canary-record": Text(
        "Look at the record of the canary's key at Cloudflare, to mend it? What would change is shown first.",
        "Cloudflare にある試験メールの鍵のレコードを確認して直しますか？変更内容を先に表示します。",
    ),
    "ask-repair-dns": Text(
        "Look at the records of {domain} at Cloudflare, to mend them? What would change is shown first.",
        "Cloudflare の {domain} のレコードを確認して直しますか？変更内容を先に表示します。",
    ),
    "sign-not-done": Text("Not repaired:", "修復できませんでした："),
    "repair-waiting": Text("Waiting for: {names} ...", "起動を待っています：{names} ..."),
    "repair-renewing": Text("Renewing the certificate ...", "証明書を更新しています..."),
    "repair-flushing": Text("Sending what waits ...", "待っているメールを送っています..."),
    "repair-looking": Text("Looking again ...", "もう一度調べています..."),
    "repair-healthy": Text("{name} runs and is well.", "{name} は正常に動いています。"),
    "repair-all-healthy": Text("Everything runs and is well.", "すべて正常に動いています。"),
    "repair-reloaded": Text("The new certificate is in use.", "新しい証明書を使い始めました。"),
    "repair-flushed": Text("Nothing waits to be sent any more.", "送信待ちはなくなりました。"),
    "repair-failed": Text("The command failed.", "コマンドが失敗しました。"),
    "repair-ill": Text(
        "It was started, but does not stay well. Its last words say why; mend that, then start again.",
        "起動しましたが、正常になりません。最後の出力に原因があります。直してからもう一度実行してください。",
    ),
    "repair-slow": Text(
        "It was started, but is not well after 15 minutes. Look again later: mxgw doctor",
        "起動しましたが、15 分たっても正常になりません。あとでもう一度確認してください：mxgw doctor",
    ),
    "repair-left": Text(
        "Some mail still waits, for these reasons. Postfix goes on trying.",
        "まだ待っているメールがあります（理由は下）。Postfix は再送を続けます。",
    ),
    "repair-interrupted": Text(
        "You did not wait for its end; look again: mxgw doctor",
        "終わるのを待たずに中断しました。もう一度確認してください：mxgw doctor",
    ),
    "doctor-after": Text("After the repairs:", "修復後の状態："),
}
