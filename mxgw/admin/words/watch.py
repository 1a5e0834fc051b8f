"""What the watch finds at home, and what to do about it."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

WATCH: Final = {
    # -- probes
    "watch-seen": Text("The check {name} runs.", "{name} の確認は動いています。"),
    "watch-unseen": Text("The check {name} could not be made.", "{name} を確認できませんでした。"),
    "watch-unseen-mend": Text(
        "Nobody knows how it is until that works again; the line above says what is in the way.",
        "これが直るまで状態はわかりません。上の行が原因です。",
    ),
    # -- containers
    "watch-container-well": Text("{name} runs.", "{name} は動いています。"),
    "watch-container-missing": Text("There is no container {name}.", "コンテナ {name} がありません。"),
    "watch-container-down": Text("{name} does not run ({state}).", "{name} が止まっています（{state}）。"),
    "watch-container-ill": Text(
        "{name} runs, but does not answer as it should.", "{name} は動いていますが、正しく応答しません。"
    ),
    "watch-container-restarts": Text(
        "{name} was started anew {count} times within a day.", "{name} が 1 日に {count} 回再起動しました。"
    ),
    "watch-container-up": Text(
        "sudo mxgw doctor starts it after a yes. By hand: cd /opt/mxgw/dell-stack && docker compose up -d {name}; docker compose logs --tail 50 {name} says why it ended.",
        "sudo mxgw doctor を実行し、質問に y と答えると起動します。手で行うなら cd /opt/mxgw/dell-stack && docker compose up -d {name}。止まった理由は docker compose logs --tail 50 {name} でわかります。",
    ),
    "watch-container-restart": Text(
        "sudo mxgw doctor restarts it after a yes. By hand: cd /opt/mxgw/dell-stack && docker compose restart {name}; docker compose logs --tail 50 {name} says what is wrong.",
        "sudo mxgw doctor を実行し、質問に y と答えると再起動します。手で行うなら cd /opt/mxgw/dell-stack && docker compose restart {name}。原因は docker compose logs --tail 50 {name} でわかります。",
    ),
    "watch-container-logs": Text(
        "cd /opt/mxgw/dell-stack && docker compose logs --tail 50 {name} says why it ends.",
        "止まる理由は cd /opt/mxgw/dell-stack && docker compose logs --tail 50 {name} でわかります。",
    ),
    # -- space
    "watch-disk-well": Text(
        "{path}: {free} free ({percent}%).", "{path} の空きは {free}（{percent}%）です。"
    ),
    "watch-disk-low": Text(
        "{path} has only {free} left ({percent}%).", "{path} の空きが {free}（{percent}%）しかありません。"
    ),
    "watch-disk-soon": Text(
        "{path} will be full in about {days} days at this pace ({free} left).",
        "このままだと {path} は約 {days} 日でいっぱいになります（空き {free}）。",
    ),
    "watch-disk-mend": Text(
        "mxgw admin user list shows who has much mail; remove old backups, empty Trash, or get a larger disk.",
        "mxgw admin user list で使用量を確認し、古いバックアップやごみ箱のメールを減らすか、ディスクを増やしてください。",
    ),
    "watch-mailbox-well": Text("{user}: {percent}% full.", "{user} の使用量は {percent}% です。"),
    "watch-mailbox-full": Text(
        "The mailbox {user} is {percent}% full; at 100% it takes no mail.",
        "{user} のメールボックスは {percent}% 使われています。100% になると受信できません。",
    ),
    "watch-mailbox-mend": Text(
        "Have old mail deleted there, or give more room: mxgw admin user quota {user} 4G",
        "古いメールを削除してもらうか、容量を増やしてください：mxgw admin user quota {user} 4G",
    ),
    # -- sending
    "watch-queue-well": Text("{count} mails wait to be sent.", "送信待ちは {count} 通です。"),
    "watch-queue-old": Text(
        "{count} mails wait to be sent, the oldest for {minutes} minutes.",
        "送信待ちが {count} 通あり、最も古いものは {minutes} 分待っています。",
    ),
    "watch-queue-mend": Text(
        "Nothing is lost for two days. mxgw admin sendgrid status says whether SendGrid takes our mail; if one user has written all of it, change that password.",
        "2 日間は失われません。mxgw admin sendgrid status で SendGrid の状態を確認してください。一人の利用者が大量に送っているなら、パスワードを変更してください。",
    ),
    "watch-sent-unknown": Text(
        "The plan's limit is not known (SENDGRID_LIMIT in .env).",
        "プランの上限が未設定です（.env の SENDGRID_LIMIT）。",
    ),
    "watch-sent-well": Text(
        "{count} of {limit} mails of the plan are sent ({percent}%).",
        "プランの上限 {limit} 通のうち {count} 通を送信しました（{percent}%）。",
    ),
    "watch-sent-much": Text(
        "{count} of {limit} mails of SendGrid's plan are sent already ({percent}%).",
        "SendGrid のプランの上限 {limit} 通のうち {count} 通をすでに送信しました（{percent}%）。",
    ),
    "watch-sent-mend": Text(
        "Beyond the limit mail waits in the queue. Was it you? If not, change the password of whoever wrote so much; else take a larger plan.",
        "上限を超えたメールは待たされます。心当たりがなければ大量に送った利用者のパスワードを変更し、あればプランを上げてください。",
    ),
    # -- the ways in
    "watch-tailnet-well": Text("Tailscale is connected.", "Tailscale は接続されています。"),
    "watch-tailnet-down": Text(
        "Tailscale is not connected ({state}): no mail comes in, and no phone can reach it.",
        "Tailscale が接続されていません（{state}）。メールは届かず、端末からもつながりません。",
    ),
    "watch-tailnet-up": Text(
        "sudo tailscale up; where it asks, log in at the address that it prints.",
        "sudo tailscale up を実行し、表示された URL でログインしてください。",
    ),
    "watch-tailnet-key": Text(
        "The key of this machine in Tailscale ends in {days} days; then no mail comes in.",
        "この機械の Tailscale のキーはあと {days} 日で切れ、メールが届かなくなります。",
    ),
    "watch-tailnet-key-mend": Text(
        "Best for good: https://login.tailscale.com/admin/machines, this machine, Disable key expiry.",
        "https://login.tailscale.com/admin/machines でこの機械の Disable key expiry を選べば、今後切れません。",
    ),
    "watch-certificate-well": Text(
        "The certificate at {place} is good for {days} days.", "{place} の証明書はあと {days} 日有効です。"
    ),
    "watch-certificate-ends": Text(
        "The certificate at {place} ends in {days} days: it was not renewed.",
        "{place} の証明書はあと {days} 日で切れます。更新されていません。",
    ),
    "watch-certificate-over": Text(
        "The certificate at {place} has ended: phones and PCs refuse to connect.",
        "{place} の証明書は期限切れです。端末や PC から接続できません。",
    ),
    "watch-certificate-old": Text(
        "{place} still shows the old certificate ({days} days left), not the new one of the file.",
        "{place} は新しい証明書ではなく、古いもの（残り {days} 日）を使い続けています。",
    ),
    "watch-certificate-unseen": Text(
        "The certificate at {place} cannot be seen.", "{place} の証明書を確認できません。"
    ),
    "watch-certificate-mend": Text(
        "mxgw admin certificate renew", "mxgw admin certificate renew を実行してください。"
    ),
    "watch-certificate-reload": Text(
        "cd /opt/mxgw/dell-stack && docker compose restart dovecot postfix nginx",
        "cd /opt/mxgw/dell-stack && docker compose restart dovecot postfix nginx を実行してください。",
    ),
    "watch-port-mend": Text(
        "Nobody answers there. 993 is dovecot, 465 postfix, 443 nginx: docker compose ps says how they are.",
        "応答がありません。993 は dovecot、465 は postfix、443 は nginx です。docker compose ps で状態を確認してください。",
    ),
    # -- jobs
    "watch-backup-well": Text(
        "The last backup is {hours} hours old.", "前回のバックアップは {hours} 時間前です。"
    ),
    "watch-backup-never": Text("There was no backup yet.", "バックアップがまだ一度も取られていません。"),
    "watch-backup-failed": Text(
        "The backup failed {hours} hours ago.", "バックアップが失敗しました（{hours} 時間前）。"
    ),
    "watch-backup-old": Text(
        "The last backup is {hours} hours old; there should be one each day.",
        "前回のバックアップから {hours} 時間たっています（本来は毎日）。",
    ),
    "watch-backup-unverified": Text(
        "The backup of {hours} hours ago could not be restored in a trial.",
        "{hours} 時間前のバックアップは、試しに復元したところ失敗しました。",
    ),
    "watch-backup-mend": Text("mxgw admin backup now", "mxgw admin backup now を実行してください。"),
    "watch-backup-verify": Text(
        "mxgw admin backup now, then: mxgw admin backup verify",
        "mxgw admin backup now のあと、mxgw admin backup verify を実行してください。",
    ),
    "watch-update-well": Text("No update has failed.", "更新の失敗はありません。"),
    "watch-update-failed": Text(
        "The nightly update failed; what ran before runs on.",
        "夜間の更新に失敗しました。以前の状態で動いています。",
    ),
    "watch-update-mend": Text("mxgw admin update status", "mxgw admin update status で確認してください。"),
    "watch-clamav-well": Text(
        "The virus signatures are {days} days old.", "ウイルス定義は {days} 日前のものです。"
    ),
    "watch-clamav-none": Text(
        "ClamAV has no virus signatures: mail waits at its senders.",
        "ClamAV にウイルス定義がありません。メールは送信側で待っています。",
    ),
    "watch-clamav-old": Text(
        "The virus signatures are {days} days old; there should be new ones each day.",
        "ウイルス定義が {days} 日前のままです（本来は毎日更新）。",
    ),
    "watch-clamav-mend": Text(
        "cd /opt/mxgw/dell-stack && docker compose restart clamav; docker compose logs clamav says why it gets none.",
        "cd /opt/mxgw/dell-stack && docker compose restart clamav を実行してください。原因は docker compose logs clamav でわかります。",
    ),
    "watch-rspamd-well": Text(
        "Rspamd's lists are {days} days old.", "Rspamd のリストは {days} 日前のものです。"
    ),
    "watch-rspamd-old": Text(
        "Rspamd has fetched no new lists for {days} days.",
        "Rspamd が {days} 日間、新しいリストを取得していません。",
    ),
    "watch-rspamd-mend": Text(
        "cd /opt/mxgw/dell-stack && docker compose restart rspamd",
        "cd /opt/mxgw/dell-stack && docker compose restart rspamd を実行してください。",
    ),
    # -- mail that waits at its senders
    "watch-all-arrived": Text(
        "No mail waits at its sender; all {arrived} that had to wait have been answered.",
        "送信側で待っているメールはありません。待っていた {arrived} 通はすべて届きました。",
    ),
    "watch-away": Text(
        "The gateway cannot reach home since {since}. At least {mails} mails of {senders} senders wait; none is lost before {give_up}.",
        "{since} から、ゲートウェイが自宅のサーバーに届きません。少なくとも {senders} 人の {mails} 通が送信側で待っています。{give_up} までは失われません。",
    ),
    "watch-away-mend": Text(
        "Is the machine on, on the internet, and in the tailnet? tailscale status; docker compose ps; mxgw doctor",
        "電源、インターネット、Tailscale を確認してください：tailscale status、docker compose ps、mxgw doctor",
    ),
    "watch-waiting": Text(
        "Home is reached again; {mails} mails of {senders} senders still wait, the first until {give_up}.",
        "自宅にはつながっています。{senders} 人の {mails} 通がまだ送信側で待っています（最初の期限は {give_up}）。",
    ),
    "watch-waiting-mend": Text(
        "Nothing: their senders try again by themselves, some after hours only. mxgw admin waiting shows them.",
        "何もする必要はありません。送信側が自動で再送します（数時間かかることもあります）。一覧は mxgw admin waiting です。",
    ),
    "watch-none-lost": Text("No sender has given up.", "再送をあきらめた送信者はいません。"),
    "watch-lost": Text(
        "{mails} mails did not come again within five days: their senders have given up.",
        "{mails} 通が 5 日以内に再送されませんでした。送信者はあきらめたと考えられます。",
    ),
    "watch-lost-mend": Text(
        "Ask these senders to write once more; their servers have told them so.",
        "これらの送信者に再送を頼んでください（相手には配送失敗の通知が届いています）。",
    ),
    # -- notices
    "watch-notice-well": Text("Notices by {channel} get through.", "{channel} への通知は届いています。"),
    "watch-notice-failed": Text(
        "The last notice by {channel} did not get through.", "{channel} への通知が送れませんでした。"
    ),
    "watch-notice-mend": Text(
        "It is tried again each round. Check its settings in .env, then: mxgw admin alert test",
        "毎回再送を試みます。.env の設定を直したら mxgw admin alert test で確認してください。",
    ),
    "watch-test": Text("This is a test; nothing is wrong.", "これは試験の通知です。異常はありません。"),
    "watch-sign-worse": Text("TROUBLE:", "【異常】"),
    "watch-sign-better": Text("BETTER:", "【改善】"),
    "watch-sign-recovered": Text("WELL AGAIN:", "【復旧】"),
    "watch-sign-reminder": Text("STILL:", "【継続中】"),
    "watch-sign-test": Text("TEST:", "【試験】"),
    "watch-more": Text(
        "... and {count} more: mxgw admin watch --show",
        "...ほか {count} 件。mxgw admin watch --show で確認してください。",
    ),
    "watch-gone": Text("{name} is not looked at any more.", "{name} は監視の対象から外れました。"),
    "watch-state-well": Text("The watch keeps what it knows.", "監視の記録は保存できています。"),
    "watch-state-unwritable": Text(
        "The watch cannot keep what it knows where it belongs ({why}); it keeps it in memory, until the next restart "
        "of the machine.",
        "監視の記録を本来の場所に保存できません（{why}）。機械を再起動するまではメモリーに保存します。",
    ),
    "watch-state-mend": Text(
        "df -h /var/lib/mxgw; touch /var/lib/mxgw/test; dmesg | tail -30 (is the disk full, or broken?)",
        "df -h /var/lib/mxgw、touch /var/lib/mxgw/test、dmesg | tail -30 で、"
        "ディスクの容量不足や故障がないか確認してください。",
    ),
    "watch-subject-more": Text("{subject} (and {count} more)", "{subject}（ほか {count} 件）"),
    "watch-since": Text("Since {since}.", "{since} から。"),
    "watch-do": Text("What to do: {text}", "対処：{text}"),
}
