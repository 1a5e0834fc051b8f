"""The edge: names of checks, what was found, and what to do."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

EDGE: Final = {
    "label-address": Text("address", "アドレス"),
    "label-port": Text("port", "ポート"),
    "label-banner": Text("banner", "名乗り"),
    "label-extensions": Text("extensions", "拡張機能"),
    "label-starttls": Text("encryption", "暗号化"),
    "label-certificate": Text("certificate", "証明書"),
    "label-certificate-name": Text("certificate name", "証明書の名前"),
    "label-certificate-days": Text("certificate dates", "証明書の期限"),
    "label-reverse": Text("reverse name", "逆引き"),
    "label-home": Text("home", "自宅サーバー"),
    "label-relay": Text("relaying", "不正中継"),
    "label-postmaster": Text("postmaster", "postmaster"),
    "label-unknown": Text("unknown mailbox", "存在しない宛先"),
    "label-delivery": Text("delivery", "配達"),
    # -- where it is
    "edge-no-address": Text("{host} has no address in DNS.", "{host} のアドレスが DNS にありません。"),
    "mend-edge-no-address": Text(
        "check the spelling, and set A records at {host} with the fixed addresses of the edge.",
        "綴りを確認し、{host} の A レコードにエッジの固定アドレスを設定してください。",
    ),
    "edge-dns-away": Text(
        "DNS did not answer for {host}, so the edge was not found.",
        "{host} について DNS の応答がなく、エッジを調べられませんでした。",
    ),
    "mend-edge-dns-away": Text(
        "try again in a minute, or name another resolver: --dns 9.9.9.9",
        "少し待って再実行するか、別のリゾルバーを指定してください：--dns 9.9.9.9",
    ),
    # -- the door
    "port-ok": Text("{address} answers at port {port}.", "{address} のポート {port} が応答しました。"),
    "port-slow": Text(
        "{address} answers only after {seconds} seconds; impatient senders hang up before.",
        "{address} の応答に {seconds} 秒かかりました。待たずに切断する送信元があります。",
    ),
    "mend-port-slow": Text(
        "look at the load of the edge, and at its DNS server: it looks up who calls.",
        "エッジの負荷と、接続元を調べる DNS サーバーの応答を確認してください。",
    ),
    "port-refused": Text(
        "nobody listens at {address} port {port}: no mail comes in.",
        "{address} のポート {port} で待ち受けがなく、メールを受信できません。",
    ),
    "mend-port-refused": Text(
        "see whether the edge runs, and whether the balancer has a healthy target for this port.",
        "エッジが動いているか、ロードバランサーに正常なターゲットがあるかを確認してください。",
    ),
    "port-silent": Text(
        "{address} port {port} does not answer: the edge is away, or a firewall or your provider blocks the port.",
        "{address} のポート {port} から応答がありません。"
        "エッジの停止、ファイアウォール、またはご利用の回線による遮断が考えられます。",
    ),
    "port-unreachable": Text(
        "{address} port {port} cannot be reached from here.", "{address} のポート {port} に到達できません。"
    ),
    "mend-port-silent": Text(
        "run it from another network first (home lines often block port 25); then see the edge and its security group.",
        "まず別の回線（VPS など）から実行してください。家庭用回線の多くはポート 25 を塞いでいます（OP25B）。"
        "それでも同じなら、エッジの動作とセキュリティグループを確認してください。",
    ),
    "smtp-silent": Text(
        "{address} is connected, but no answer comes to {stage}.",
        "{address} に接続できましたが、{stage} への応答がありません。",
    ),
    "smtp-closed": Text(
        "{address} closed the connection at {stage}.", "{address} が {stage} で接続を切断しました。"
    ),
    "mend-smtp": Text(
        "look at the log of the edge at this time; a balancer without a healthy target looks like this, too.",
        "同じ時刻のエッジのログを確認してください。ロードバランサーに正常なターゲットがない場合もこうなります。",
    ),
    "smtp-garbage": Text(
        "what answers at {address} port {port} is no mail server.",
        "{address} のポート {port} で応答したのはメールサーバーではありません。",
    ),
    "mend-smtp-garbage": Text(
        "check the port, and what stands between: a balancer must pass TCP through as it is.",
        "ポート番号と途中の機器を確認してください。ロードバランサーは TCP をそのまま通す設定が必要です。",
    ),
    "smtp-turned-away": Text("{address} does not let us in.", "{address} に受け付けを断られました。"),
    "mend-smtp-turned-away": Text(
        "its answer says why: a block list (then run it from another network), too many connections, or it shuts down.",
        "応答に理由があります。ブロックリスト（別の回線から実行してください）、接続数の超過、停止処理中などです。",
    ),
    "session-broken": Text(
        "the edge broke off in the middle of a transaction.", "エッジとの通信が取引の途中で切れました。"
    ),
    "banner-ok": Text("it names itself {name}.", "{name} と名乗っています。"),
    "banner-unknown": Text(
        "it names itself {name}; --edge gives no name to compare with.",
        "{name} と名乗っています（--edge が名前でないため照合していません）。",
    ),
    "banner-other": Text(
        "it names itself {name}, not {host}; some senders count that against it.",
        "{host} ではなく {name} と名乗っています。送信元によっては不審に扱われます。",
    ),
    "mend-banner": Text(
        "set MXGW_HOSTNAME={host} at the edge.", "エッジに MXGW_HOSTNAME={host} を設定してください。"
    ),
    "extensions-ok": Text("it offers what senders need.", "送信元に必要な機能がそろっています。"),
    "extensions-missing": Text("it does not offer {missing}.", "{missing} を提供していません。"),
    "mend-extensions": Text(
        "see whether mxgw itself answers, or something in between that cuts its words.",
        "応答しているのが mxgw 自身か、途中の機器が応答を書き換えていないかを確認してください。",
    ),
    "ehlo-refused": Text("it does not take EHLO.", "EHLO が拒否されました。"),
    # -- encryption
    "starttls-ok": Text("mail is encrypted on its way ({version}).", "通信は暗号化されます（{version}）。"),
    "starttls-missing": Text(
        "it does not offer STARTTLS: all mail comes in the clear.",
        "STARTTLS がなく、メールが暗号化されずに届きます。",
    ),
    "mend-starttls": Text(
        "mxgw always offers it; something in between (a firewall that inspects SMTP) takes it away.",
        "mxgw は必ず提供します。途中の機器（SMTP を検査するファイアウォールなど）が消していないか確認してください。",
    ),
    "starttls-broken": Text(
        "encryption is offered, but does not come about.", "暗号化の開始に失敗しました。"
    ),
    "mend-starttls-broken": Text(
        "try: openssl s_client -starttls smtp -connect HOST:25 ; then see certificate and key with: mxgw check",
        "openssl s_client -starttls smtp -connect ホスト:25 で確かめ、証明書と鍵を mxgw check で確認してください。",
    ),
    "certificate-ok": Text(
        "issued by a known authority ({issuer}).", "信頼できる発行者の証明書です（{issuer}）。"
    ),
    "certificate-self-signed": Text(
        "the certificate is self-signed: mail is encrypted, but senders cannot tell whom they talk to; under an"
        " MTA-STS policy in mode enforce they would not deliver.",
        "自己署名の証明書です。暗号化はされますが、送信元は相手を確認できません。"
        "MTA-STS を enforce にすると届かなくなります。",
    ),
    "certificate-untrusted": Text(
        "nobody known stands behind the certificate: {why}.", "証明書の発行者を確認できません（{why}）。"
    ),
    "certificate-unreadable": Text("the certificate cannot be read.", "証明書を読み取れません。"),
    "mend-certificate": Text(
        "get one for the name of the edge (Let's Encrypt, by DNS), with its intermediate certificates, and set"
        " MXGW_TLS_CERT and MXGW_TLS_KEY.",
        "エッジの名前の証明書（Let's Encrypt の DNS 認証など）を中間証明書とともに取得し、"
        "MXGW_TLS_CERT と MXGW_TLS_KEY に設定してください。",
    ),
    "certificate-name-ok": Text("the certificate is for {host}.", "証明書は {host} 用です。"),
    "certificate-name-unknown": Text(
        "the certificate is for {names}; --edge gives no name to compare with.",
        "証明書は {names} 用です（--edge が名前でないため照合していません）。",
    ),
    "certificate-name-other": Text(
        "the certificate is for {names}, not for {host}.", "証明書は {host} ではなく {names} 用です。"
    ),
    "mend-certificate-name": Text(
        "get a certificate with {host} in it, or let MX name what is in the certificate.",
        "{host} を含む証明書を取得するか、MX を証明書の名前に合わせてください。",
    ),
    "certificate-days-ok": Text(
        "it holds for {days} more days, until {end}.", "{end} まで有効です（残り {days} 日）。"
    ),
    "certificate-ending": Text(
        "it holds for {days} more days only, until {end}.",
        "有効期限が近づいています（{end}、残り {days} 日）。",
    ),
    "certificate-ended": Text("it ended on {end}.", "証明書は {end} に期限が切れています。"),
    "mend-certificate-days": Text(
        "renew it, and see why it was not renewed by itself; the edge reads the new one without a restart.",
        "更新し、自動更新が動かなかった原因を確認してください。新しい証明書は再起動なしで読み込まれます。",
    ),
    "certificate-early": Text("it holds only from {begin} on.", "証明書は {begin} から有効になります。"),
    "mend-certificate-early": Text(
        "check the clock of this machine, and which certificate was installed.",
        "このパソコンの時計と、設定した証明書を確認してください。",
    ),
    # -- names
    "reverse-ok": Text("{address} is {name}, and back.", "{address} と {name} が相互に引けます。"),
    "reverse-missing": Text(
        "{address} has no name; for taking mail in that does no harm.",
        "{address} の逆引きがありません。受信には支障ありません。",
    ),
    "reverse-astray": Text(
        "{address} is named {name}, which has another address; for taking mail in that does no harm.",
        "{address} の逆引き {name} は別のアドレスを指しています。受信には支障ありません。",
    ),
    "reverse-away": Text(
        "DNS did not say whose {address} is.", "{address} の逆引きについて DNS の応答がありません。"
    ),
    "mend-reverse": Text(
        "where you like: let the owner of {address} (AWS: Elastic IP, reverse DNS) name it {host}.",
        "必要なら {address} の逆引きを {host} に設定してください（AWS では Elastic IP の逆引き DNS）。",
    ),
    # -- what it takes
    "home-ok": Text(
        "the edge asked the mailbox server at home, and got an answer.",
        "エッジから自宅サーバーに問い合わせができています。",
    ),
    "home-likely": Text(
        "the edge takes mail, as it does while it reaches home.",
        "エッジがメールを受け付けています（自宅サーバーに届いているときの動作です）。",
    ),
    "home-away": Text(
        "the edge runs, but the mailbox server at home is away: senders are told to come again, and keep the mail.",
        "エッジは動いていますが、自宅サーバーに届きません。メールは送信元に残り、後で再送されます。",
    ),
    "mend-home-away": Text(
        "at home: is the power on, does Tailscale run, does docker compose ps show dovecot and home as healthy?",
        "自宅側の電源と Tailscale を確認し、docker compose ps で dovecot と home が healthy か見てください。",
    ),
    "mail-later": Text(
        "the edge asks to come again later.", "エッジが「後で再送してください」と応答しました。"
    ),
    "mend-mail-later": Text(
        "its answer says why; run this again in some minutes, and look at the log of the edge if it stays.",
        "応答に理由があります。数分後に再実行し、続くようならエッジのログを確認してください。",
    ),
    "mail-refused": Text(
        "the edge takes no mail from where this runs, so that nothing more could be tried.",
        "エッジがこの接続元からのメールを断ったため、これ以上確認できませんでした。",
    ),
    "mend-mail-refused": Text(
        "its answer says why; run this from another network, best from a rented server.",
        "応答に理由があります。別の回線（VPS など）から実行してください。",
    ),
    "relay-ok": Text(
        "mail for other people's domains is refused.", "他人のドメイン宛のメールは中継されません。"
    ),
    "relay-open": Text(
        "it takes mail for {recipient}, which is not ours: spammers will send through it, and it will be blocked"
        " everywhere.",
        "無関係な宛先 {recipient} を受け付けました。迷惑メールの踏み台にされ、各地でブロックされます。",
    ),
    "mend-relay": Text(
        "take it off the internet, then see MXGW_DOMAINS, and whether mxgw itself answers at this port.",
        "すぐに公開を止め、MXGW_DOMAINS と、このポートで応答しているのが mxgw かを確認してください。",
    ),
    "relay-untested": Text(
        "whether it relays for others could not be tried.", "不正中継の有無は確認できませんでした。"
    ),
    "mend-untested": Text(
        "mend what is said under home or port first, then run this again.",
        "先に「自宅サーバー」や「ポート」の問題を直し、再実行してください。",
    ),
    "postmaster-ok": Text("{recipient} is taken.", "{recipient} を受け付けます。"),
    "postmaster-refused": Text(
        "{recipient} is refused; every domain must have it, and reports go there.",
        "{recipient} が拒否されます。すべてのドメインに必要なアドレスで、各種の報告も届きます。",
    ),
    "mend-postmaster": Text(
        "see whether the edge has this domain (MXGW_DOMAINS), then: mxgw admin alias add {recipient} YOUR-ADDRESS",
        "エッジの MXGW_DOMAINS を確認し、次を実行してください：mxgw admin alias add {recipient} ご自分のアドレス",
    ),
    "postmaster-later": Text(
        "{recipient} is to be tried later.", "{recipient} は一時的に受け付けられません。"
    ),
    "postmaster-untested": Text(
        "whether {recipient} is taken could not be tried.", "{recipient} の受け付けは確認できませんでした。"
    ),
    "unknown-ok": Text(
        "mailboxes that {domain} does not have are refused at once.",
        "{domain} に存在しない宛先はその場で拒否されます。",
    ),
    "unknown-taken": Text(
        "{recipient} is taken, though nobody has it: {domain} has a catch-all, or the edge does not ask home.",
        "存在しない {recipient} を受け付けました。{domain} に全受信の設定があるか、自宅に問い合わせていません。",
    ),
    "mend-unknown": Text(
        "with a catch-all this is meant; else see that MXGW_CHECKS has recipient: otherwise bounces go to innocents.",
        "全受信の設定なら正常です。そうでなければ MXGW_CHECKS に recipient があるか確認してください。",
    ),
    "unknown-later": Text(
        "mailboxes that {domain} does not have are put off instead of refused.",
        "{domain} に存在しない宛先が、拒否ではなく保留になります。",
    ),
    "unknown-untested": Text(
        "whether unknown mailboxes of {domain} are refused could not be tried.",
        "{domain} に存在しない宛先の拒否は確認できませんでした。",
    ),
    "delivery-ok": Text(
        "the test message for {recipient} is at home.",
        "{recipient} 宛のテストメールが自宅サーバーに届きました。",
    ),
    "delivery-refused": Text(
        "the test message for {recipient} was refused.", "{recipient} 宛のテストメールが拒否されました。"
    ),
    "mend-delivery": Text(
        "its answer says why; the log of the edge says more: mxgw trace, or the log at this time.",
        "応答に理由があります。詳しくは同じ時刻のエッジのログを確認してください。",
    ),
    "delivery-later": Text(
        "the test message for {recipient} was put off.", "{recipient} 宛のテストメールは保留されました。"
    ),
}
