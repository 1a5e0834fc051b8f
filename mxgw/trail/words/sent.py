"""What is said about mail that our users send."""

# ruff: noqa: E501, RUF001
# Texts are shown in the lines they stand in; Japanese has its own brackets and colons.

from __future__ import annotations

from typing import Final

from mxgw.trail.words.text import Text

SENT: Final = {
    # -- the sentence
    "sent-fate-handed-over": Text(
        "Handed over{whom} to {relay} at {at}{after}, which took it: {said}. Whether it reached the mailbox is not in our log: only {relay} knows.",
        "{at} に{after}{whom}{relay} へ渡し、受け取られました（{said}）。相手のメールボックスに届いたかどうかは、このサーバーのログでは分かりません（{relay} だけが知っています）。",
    ),
    "sent-fate-delivered": Text(
        "Delivered{whom} at {at}{after}{place}: the mailbox is on this server.",
        "{at} に{after}{whom}{place}配達しました（このサーバーのメールボックスです）。",
    ),
    "sent-fate-waiting": Text(
        "Waiting{whom} since {waits}, tried {tries}, last at {at}: {said}. It is tried again by itself until about {until}.",
        "{waits} から{whom}送信待ちです。{tries}試し、最後は {at} でした（{said}）。{until} ごろまで自動で再送します。",
    ),
    "sent-fate-bounced": Text(
        "Refused for good{whom} at {at}{after}: {said}. {told}",
        "{at} に{after}{whom}拒否され、送信を終えました（{said}）。{told}",
    ),
    "sent-fate-expired": Text(
        "Given up{whom} at {at}, after {tries} of trying in vain; the last answer: {said}. {told}",
        "{at} に{whom}送信をあきらめました。{tries}試しましたが、最後の応答は次のとおりです（{said}）。{told}",
    ),
    "sent-fate-deleted": Text(
        "Thrown away at {last} by an administrator before it was sent{whom}; nobody was told.",
        "{last} に、送信{whom}の前に管理者が削除しました。差出人には知らされていません。",
    ),
    "sent-fate-refused": Text(
        "Not taken in{whom}, {times}, last at {last}: {said}. Nothing was sent.",
        "{whom}受け付けませんでした（{times}、最後は {last}）：{said}。何も送信されていません。",
    ),
    "sent-fate-put-off": Text(
        "Not taken in for now{whom}, {times}, last at {last}: {said}. Nothing was sent; it is still in the outbox or the drafts of the sender's mail program.",
        "{whom}一時的に受け付けませんでした（{times}、最後は {last}）：{said}。まだ送信されていません。差出人のメールソフトの送信トレイか下書きに残っています。",
    ),
    "sent-fate-login-failed": Text(
        "Log-in to the sending service as {login} failed {times}, from {since} to {last}: wrong password. Nothing was sent.",
        "送信サーバーへの {login} のログインが {times}失敗しました（{since} から {last} まで。パスワードの誤り）。何も送信されていません。",
    ),
    "sent-fate-accepted": Text(
        "Taken in at {since}; nothing about its delivery is in the log yet.",
        "{since} に受け付けました。配送の記録はまだありません。",
    ),
    "sent-fate-lost-sight": Text(
        "Last seen at {last}; how it ended is not in the log that was read.",
        "{last} を最後に、読んだログには結果の記録がありません。",
    ),
    "sent-part-handed-over": Text("handed over to {relay} for {names}", "{names} は {relay} へ渡しました"),
    "sent-part-delivered": Text("delivered{place} here for {names}", "{names} は{place}配達済み"),
    "sent-part-waiting": Text(
        "waiting for {names} since {waits} ({said})", "{names} は {waits} から送信待ち（{said}）"
    ),
    "sent-part-bounced": Text("refused for good for {names} ({said})", "{names} は拒否（{said}）"),
    "sent-part-expired": Text("given up for {names} ({said})", "{names} はあきらめました（{said}）"),
    "sent-part-deleted": Text("thrown away for {names}", "{names} は管理者が削除"),
    "sent-part-refused": Text("not taken in for {names} ({said})", "{names} は受け付けず（{said}）"),
    "sent-part-put-off": Text(
        "not taken in for now for {names} ({said})", "{names} は一時的に受け付けず（{said}）"
    ),
    "sent-part-accepted": Text("not tried yet for {names}", "{names} はまだ配送の記録なし"),
    "sent-part-lost-sight": Text("no end in the log for {names}", "{names} は結果の記録なし"),
    "sent-after": Text(", after {tries} in vain", "、{tries} 回の失敗のあと"),
    "sent-place": Text(" into {mailbox}", "{mailbox} へ"),
    "sent-told": Text(
        "{sender} has a report of it in the mailbox.", "{sender} のメールボックスに不達の通知が届いています。"
    ),
    "sent-told-perhaps": Text(
        "A report to {sender} was made; its delivery is not in the log.",
        "{sender} への不達の通知を作りましたが、配達の記録はありません。",
    ),
    "sent-told-nobody": Text("No report to the sender is in the log.", "差出人への通知の記録はありません。"),
    "nobody-logged-in": Text("(unknown)", "（不明）"),
    # -- what to do
    "sent-cause-handed-over": Text(
        "If it did not arrive: ask the recipient to look into Junk; then look at SendGrid (app.sendgrid.com): Activity shows each mail by its recipient, Suppressions lists addresses that SendGrid no longer sends to. A refusal that comes later is seen there only.",
        "届いていないときは、まず相手に迷惑メールフォルダーを見てもらってください。次に SendGrid（app.sendgrid.com）で、Activity を宛先で検索し、Suppressions（送信停止リスト）に宛先がないか確かめてください。渡したあとの拒否は、そこでしか分かりません。",
    ),
    "sent-cause-relay-key": Text(
        "SendGrid does not accept the API key. See mxgw admin sendgrid status; put a new key into .env and run install.sh; then mxgw admin queue flush. Nothing is lost meanwhile.",
        "SendGrid が API キーを受け付けません。mxgw admin sendgrid status で確かめ、新しいキーを .env に書いて install.sh を実行し、mxgw admin queue flush で再送してください。それまでメールは失われません。",
    ),
    "sent-cause-relay-plan": Text(
        "The allowance of the SendGrid plan is used up: see mxgw admin sendgrid status. It goes out by itself after midnight UTC, or at once with a larger plan.",
        "SendGrid の契約の送信数を使い切りました（mxgw admin sendgrid status）。UTC の午前 0 時（日本時間 9 時）を過ぎると自動で送られます。急ぐなら契約を大きくしてください。",
    ),
    "sent-cause-relay-sender": Text(
        "SendGrid does not know the sender's domain: mxgw admin sendgrid domain says which DNS records are missing. Then send the mail again.",
        "SendGrid に差出人のドメインが登録されていません。mxgw admin sendgrid domain で足りない DNS レコードを確かめ、直してからもう一度送ってください。",
    ),
    "sent-cause-relay-away": Text(
        "SendGrid cannot be reached from here. See whether the line to the Internet is up, and status.sendgrid.com. It goes out by itself; at once: mxgw admin queue flush.",
        "SendGrid に接続できません。インターネット回線と status.sendgrid.com を確かめてください。直れば自動で送られます。すぐ送るなら mxgw admin queue flush。",
    ),
    "sent-cause-relay-tls": Text(
        "The relay could not prove who it is (TLS), so neither key nor mail was given to it. See RELAY_HOST in .env, and the clock of this server; it is tried again by itself.",
        "中継先が本物であることを TLS で確認できず、キーもメールも渡していません。.env の RELAY_HOST とこのサーバーの時計を確かめてください。自動で再試行します。",
    ),
    "sent-cause-relay-later": Text(
        "The relay asked to try again later; its answer above is the reason. It goes out by itself; at once: mxgw admin queue flush.",
        "中継先が、あとで送り直すよう求めました。理由は上の応答のとおりです。自動で再送します。すぐ送るなら mxgw admin queue flush。",
    ),
    "sent-cause-relay-no": Text(
        "The other side refused it; its answer above is the reason. Check the address, mend what the answer says, and send the mail again.",
        "相手側が拒否しました。理由は上の応答のとおりです。宛先の綴りを確かめ、応答にあることを直して、もう一度送ってください。",
    ),
    "sent-cause-no-mailbox": Text(
        "There is no such mailbox here. Check the spelling; if there should be one: mxgw admin user add ADDRESS, or mxgw admin alias add.",
        "このサーバーにそのメールボックスはありません。綴りを確かめてください。必要なら mxgw admin user add アドレス（または mxgw admin alias add）で作れます。",
    ),
    "sent-cause-mailbox-full": Text(
        "The recipient's mailbox here is full: raise its quota (mxgw admin user quota) or have mail in it deleted.",
        "宛先のメールボックスがいっぱいです。容量を増やす（mxgw admin user quota）か、メールを減らしてもらってください。",
    ),
    "sent-cause-mailbox-away": Text(
        "Dovecot, which keeps our mailboxes, did not take it just now: mxgw doctor --house looks why. It is tried again by itself.",
        "メールボックスを持つ Dovecot が、いまは受け取れませんでした。mxgw doctor --house で確かめてください。自動で再試行します。",
    ),
    "sent-cause-mailbox-no": Text(
        "Dovecot, which keeps our mailboxes, refused it; its answer above is the reason.",
        "メールボックスを持つ Dovecot が拒否しました。理由は上の応答のとおりです。",
    ),
    "sent-cause-not-own-address": Text(
        "Whoever logged in may not send as this address. Choose the own address as sender in the mail program; or give the address to this user: mxgw admin alias add.",
        "ログインした利用者は、この差出人アドレスを使えません。メールソフトの差出人を本人のアドレスにするか、mxgw admin alias add でそのアドレスを本人の別名にしてください。",
    ),
    "sent-cause-not-own-from": Text(
        "The From that people read is not the sender's own address, or not in a plain form. Set it in the mail program to: Name <address>. Mail cannot be redirected under a stranger's name; forward it.",
        "表示用の差出人（From）が本人のアドレスでないか、単純な形ではありません。メールソフトで「名前 <アドレス>」の形にしてください。他人の名前のまま回送はできません。転送してください。",
    ),
    "sent-cause-not-logged-in": Text(
        "The mail program did not log in. Set: user name the whole address, port 587 with STARTTLS or 465 with TLS, authentication by password.",
        "メールソフトがログインしていません。ユーザー名はアドレス全体、ポート 587（STARTTLS）か 465（TLS）、パスワード認証に設定してください。",
    ),
    "sent-cause-wrong-password": Text(
        "Type the password anew in the mail program; a phone has a password of its own (mxgw admin device list). Forgotten: mxgw admin user passwd. If nobody of yours did this, somebody guesses: see from where, above.",
        "メールソフトのパスワードを入れ直してください。スマートフォンには専用のパスワードがあります（mxgw admin device list）。忘れたときは mxgw admin user passwd。家の人に心当たりがなければ、だれかが推測しています。上の接続元を見てください。",
    ),
    "sent-cause-bad-address": Text(
        "The address is not whole or not valid. Correct it in the mail program and send again.",
        "アドレスが途中までか、正しい形ではありません。メールソフトで直して送り直してください。",
    ),
    "sent-cause-spam-or-virus": Text(
        "The content scanner found spam or a virus. See its reason above; send without the file in question, or as plain text. If the computer may have a virus, scan it.",
        "内容の検査で迷惑メールまたはウイルスと判定されました。上の理由を見て、問題のファイルを外すか、簡単な文面にして送り直してください。パソコンのウイルス検査もお勧めします。",
    ),
    "sent-cause-rate": Text(
        "This user has sent to more than 100 recipients within an hour, and may go on slowly: wait an hour, then send again. If the user did not do that, the password is known to somebody: mxgw admin user passwd.",
        "この利用者は 1 時間に 100 件を超える宛先へ送りました。1 時間待って送り直してください。本人に心当たりがなければパスワードが漏れています。mxgw admin user passwd で変えてください。",
    ),
    "sent-cause-scanner-away": Text(
        "The content scanner does not answer, and nothing leaves unseen: mxgw doctor --house. Send again when it is well.",
        "内容を検査するプログラムが応答していません（検査なしでは送信しません）。mxgw doctor --house で直し、そのあと送り直してください。",
    ),
    "sent-cause-too-large": Text(
        "Larger than 30 MB in all, which is some 20 MB of files. Send a link instead of the file.",
        "全体で 30 MB（添付ファイルで約 20 MB）を超えています。ファイルではなくリンクを送ってください。",
    ),
    "sent-cause-database-away": Text(
        "The database of the addresses did not answer: mxgw doctor --house. Send again when it is well.",
        "アドレスのデータベースが応答しませんでした。mxgw doctor --house で直し、そのあと送り直してください。",
    ),
    "sent-cause-disk": Text(
        "The disk of this server is nearly full: df -h. Make room, then send again.",
        "このサーバーのディスクの空きが足りません（df -h）。空きを作ってから送り直してください。",
    ),
    "sent-cause-many-recipients": Text(
        "Too many recipients in one mail (200 at most): send it in parts.",
        "1 通の宛先が多すぎます（200 件まで）。分けて送ってください。",
    ),
    "sent-cause-deleted": Text(
        "Somebody used mxgw admin queue remove. If it is to arrive all the same, ask the sender to send it again.",
        "だれかが mxgw admin queue remove を使いました。届けるなら、差出人にもう一度送ってもらってください。",
    ),
    "sent-cause-lost-sight": Text(
        "The log of a container ends when the container is made anew, as by an update. See mxgw admin queue list whether it still waits; else look for it at SendGrid.",
        "コンテナのログは、更新などで作り直されると消えます。まだ待っているかは mxgw admin queue list で、送信済みかは SendGrid で確かめてください。",
    ),
    "sent-cause-in-queue": Text(
        "Wait a minute and look again; what waits longer is in mxgw admin queue list.",
        "1 分ほど待ってもう一度調べてください。長く待っているものは mxgw admin queue list にあります。",
    ),
    "sent-cause-unknown": Text(
        "The answer above is the reason; this version has no more to say about it.",
        "理由は上の応答のとおりです。このバージョンにはそれ以上の説明がありません。",
    ),
    # -- headings and labels
    "title-sent": Text(
        "Sent: {count} mails match {query}", "送信：{query} に一致するメールは {count} 通です"
    ),
    "column-taken": Text("last seen", "最後の記録"),
    "title-sent-message": Text(
        "{number}. Sent {message_id}, from {sender} to {recipients}",
        "{number}. 送信 {message_id}、{sender} から {recipients} へ",
    ),
    "title-login": Text("{number}. Log-in to send mail as {sender}", "{number}. {sender} の送信用ログイン"),
    "sent-nobody": Text("(recipients unknown)", "（宛先不明）"),
    "label-accepted": Text("taken in", "受け付け"),
    "label-refused": Text("refused", "拒否"),
    "label-state": Text("now", "現在"),
    "label-try": Text("attempt", "配送"),
    "label-report": Text("report", "通知"),
    "line-accepted": Text(
        "from {login}, at {client}, by {door}, {octets}", "{login} から（{client}、{door}）、{octets}"
    ),
    "line-refused": Text("from {login}, at {client}, by {door}", "{login} から（{client}、{door}）"),
    "line-more": Text("{count} more are in --json", "ほか {count} 件は --json にあります"),
    "door-submission": Text("port 587", "ポート 587"),
    "door-submissions": Text("port 465 (the webmail, too, uses it)", "ポート 465（ウェブメールも使用）"),
    "door-internal": Text("automatic reply of Dovecot", "Dovecot の自動応答"),
    "door-other": Text("Postfix itself", "Postfix 自身"),
    "report-non-delivery": Text("failure report to {sender}: {state}", "{sender} への不達の通知：{state}"),
    "report-delay": Text("notice of the delay to {sender}: {state}", "{sender} への遅延の通知：{state}"),
    "report-delivery status": Text("receipt to {sender}: {state}", "{sender} への配送証明：{state}"),
    "report-brought": Text("delivered", "配達済み"),
    "report-unknown": Text("delivery not in the log", "配達の記録なし"),
    "sent-short-handed-over": Text("with the relay", "中継先へ渡し済み"),
    "sent-short-delivered": Text("delivered", "配達済み"),
    "sent-short-waiting": Text("waiting", "送信待ち"),
    "sent-short-bounced": Text("refused", "拒否された"),
    "sent-short-expired": Text("given up", "断念"),
    "sent-short-deleted": Text("thrown away", "削除"),
    "sent-short-refused": Text("not taken in", "受け付けず"),
    "sent-short-put-off": Text("not now", "一時的に受け付けず"),
    "sent-short-accepted": Text("taken in", "受け付け済み"),
    "sent-short-lost-sight": Text("end unknown", "結果不明"),
    "sent-short-login-failed": Text("log-in failed", "ログイン失敗"),
    "sent-short-mixed": Text("mixed", "宛先により異なる"),
}
