"""What the canary says: which part of the way is broken, and what to do about it."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

CANARY: Final = {
    "short-canary": Text(
        "Send one mail all the way, and see it arrive.", "試験メールを一通り流して確かめます。"
    ),
    "help-canary": Text(
        """\
Sends a signed message by the way that everybody's mail takes, finds it in a mailbox
here by IMAP and removes it; then a forged one, which must be refused or marked.
A timer does so every ten minutes. In .env: CANARY_TO and CANARY_PASSWORD, a mailbox of
its own (mxgw admin user add canary@DOMAIN); CANARY_WAY sendgrid or direct.

Examples:
  mxgw admin canary
  mxgw admin canary --record   the TXT record for its key (CANARY_WAY=direct): shown,
                               looked for in DNS, written to Cloudflare after a yes""",
        """\
署名した試験メールを本番と同じ経路で送り、届いたことを IMAP で確かめて削除します。続いて
偽造メールを送り、拒否されるか印が付くことを確かめます（タイマーが 10 分ごとに実行）。
.env に専用のメールボックス CANARY_TO と CANARY_PASSWORD を設定してください
（mxgw admin user add canary@ドメイン）。CANARY_WAY は sendgrid か direct です。

例：
  mxgw admin canary
  mxgw admin canary --record   鍵の TXT レコードを表示し、DNS を確かめ、確認のうえ
                               Cloudflare に書き込み（CANARY_WAY=direct の場合）""",
    ),
    "option-canary-record": Text(
        "Send nothing: show the DNS record of its key, and write it where .env has CLOUDFLARE_API_TOKEN.",
        "送信せず、鍵の DNS レコードを表示。.env に CLOUDFLARE_API_TOKEN があれば書き込めます。",
    ),
    "canary-record": Text(
        "The record of the canary's key, a TXT record for the name {name}, in one line:",
        "試験メールの鍵のレコード（名前 {name} の TXT レコード、1 行）：",
    ),
    "canary-record-there": Text("It is in DNS: {name}", "DNS に登録されています：{name}"),
    "canary-record-missing": Text("It is not in DNS: {name}", "DNS に登録されていません：{name}"),
    "canary-record-other": Text(
        "DNS has another key at this name, a revoked one, or several: {name}",
        "DNS のこの名前には、別の鍵か、取り消された鍵か、複数の鍵があります：{name}",
    ),
    "canary-record-unknown": Text(
        "Nobody answers when asked for it: {name} (does DNS work here?)",
        "DNS が応答しないため、登録の有無がわかりません：{name}（この機械で DNS は使えますか？）",
    ),
    "canary-record-by-hand": Text(
        "Put it in at Cloudflare (DNS > Records > Add record). Or make a token (Zone > DNS > Edit), put it into .env "
        "as CLOUDFLARE_API_TOKEN and run this command again: it writes the record.",
        "Cloudflare（DNS > レコード > レコードを追加）で登録してください。または、トークン（ゾーン > DNS > 編集）を"
        " .env の CLOUDFLARE_API_TOKEN に設定して再実行すると、このコマンドが書き込みます。",
    ),
    "canary-yes-alone": Text(
        "--yes and --replace belong to --record: mxgw admin canary --record --yes",
        "--yes と --replace は --record と一緒に使います：mxgw admin canary --record --yes",
    ),
    "canary-no-sender": Text(
        "From whom the canary flies is not set: CANARY_FROM or POSTMASTER_ADDRESS in .env.",
        "試験メールの差出人がありません。.env の CANARY_FROM か POSTMASTER_ADDRESS を設定してください。",
    ),
    "canary-not-set": Text(
        "Make a mailbox for it (mxgw admin user add canary@DOMAIN), and set CANARY_TO and CANARY_PASSWORD in .env.",
        "専用のメールボックスを作り（mxgw admin user add canary@ドメイン）、.env に CANARY_TO と CANARY_PASSWORD を設定してください。",
    ),
    "canary-bad-way": Text(
        "CANARY_WAY is sendgrid (where the provider blocks port 25) or direct.",
        "CANARY_WAY は sendgrid（プロバイダーがポート 25 を塞いでいる場合）か direct です。",
    ),
    "canary-no-key": Text(
        "The key in CANARY_DKIM_KEY cannot be read ({why}). Make one: openssl genrsa -out FILE 2048, "
        "then mxgw admin canary --record",
        "CANARY_DKIM_KEY の鍵を読めません（{why}）。"
        "作るには：openssl genrsa -out ファイル 2048、続いて mxgw admin canary --record",
    ),
    "canary-part-well": Text("works, after {seconds} s", "正常（{seconds} 秒後）"),
    "watch-canary-none": Text("The canary is not set up.", "試験メールは設定されていません。"),
    "watch-canary-well": Text(
        "A test mail arrived after {seconds} s.", "試験メールは {seconds} 秒で届きました。"
    ),
    "watch-canary-broken": Text(
        "The test mail did not get through: {part} is broken.", "試験メールが通りません。故障箇所：{part}"
    ),
    "watch-canary-never": Text(
        "The canary is set up, and no test mail has been sent yet.",
        "試験メールは設定済みですが、まだ一度も送られていません。",
    ),
    "watch-canary-soon": Text(
        "The canary is set up; its first test mail goes out within minutes.",
        "試験メールは設定済みです。まもなく最初の 1 通を送ります。",
    ),
    "watch-canary-key": Text(
        "The canary cannot sign, so no test mail is sent: the key in CANARY_DKIM_KEY cannot be used ({why}).",
        "試験メールに署名できないため、送信していません。CANARY_DKIM_KEY の鍵を使えません（{why}）。",
    ),
    "watch-canary-key-mend": Text(
        "Make one: openssl genrsa -out FILE 2048; put FILE into .env as CANARY_DKIM_KEY; then mxgw admin canary --record",
        "openssl genrsa -out ファイル 2048 で作り、.env の CANARY_DKIM_KEY に指定して、"
        "mxgw admin canary --record を実行してください。",
    ),
    "watch-canary-record-missing": Text(
        "DNS has no record of the canary's key ({name}): test mails cannot be proven. Other mail is not affected.",
        "試験メールの鍵のレコードが DNS にありません（{name}）。試験メールの署名を確認できません。"
        "ほかのメールには影響しません。",
    ),
    "watch-canary-record-other": Text(
        "DNS has another key than the canary's ({name}): test mails cannot be proven. Other mail is not affected.",
        "DNS に試験メールの鍵とは別の鍵があります（{name}）。試験メールの署名を確認できません。"
        "ほかのメールには影響しません。",
    ),
    "watch-canary-record-mend": Text(
        "mxgw admin canary --record shows the right one, and writes it to Cloudflare after a yes.",
        "mxgw admin canary --record で正しいレコードを表示し、確認のうえ Cloudflare に書き込めます。",
    ),
    "watch-canary-record-mended": Text(
        "The record of the canary's key is in DNS again ({name}); the next test mail will show it.",
        "試験メールの鍵のレコードは DNS に登録されました（{name}）。次の試験メールで確認されます。",
    ),
    "watch-canary-old": Text(
        "The last test mail was sent {minutes} minutes ago.", "最後の試験メールは {minutes} 分前です。"
    ),
    "watch-canary-slow": Text(
        "The test mail took {seconds} s.", "試験メールの配達に {seconds} 秒かかりました。"
    ),
    "watch-canary-timer": Text(
        "systemctl status mxgw-canary.timer mxgw-canary.service",
        "systemctl status mxgw-canary.timer mxgw-canary.service で確認してください。",
    ),
    "watch-canary-slow-mend": Text(
        "docker stats and mxgw admin canary show where the time goes.",
        "docker stats と mxgw admin canary で遅い箇所を確認してください。",
    ),
    "canary-mend-dns": Text(
        "mxgw admin domain check DOMAIN", "mxgw admin domain check ドメイン を実行してください。"
    ),
    "canary-mend-sendgrid": Text(
        "mxgw admin sendgrid status", "mxgw admin sendgrid status を実行してください。"
    ),
    "canary-mend-port": Text(
        "Nobody answers at the MX: mxgw doctor. Where the provider blocks port 25, set CANARY_WAY=sendgrid.",
        "MX が応答しません。mxgw doctor を実行してください。プロバイダーがポート 25 を塞いでいる場合は CANARY_WAY=sendgrid にします。",
    ),
    "canary-mend-tls": Text(
        "The edge's certificate: mxgw admin certificate show, then renew.",
        "エッジの証明書です。mxgw admin certificate show で確認し、renew で更新してください。",
    ),
    "canary-mend-edge": Text(
        "The edge refuses it: mxgw doctor; mxgw trace canary's address in the log of the edge.",
        "エッジが拒否しています。mxgw doctor と、エッジのログの mxgw trace で確認してください。",
    ),
    "canary-mend-home": Text(
        "The edge does not reach home: tailscale status; docker compose ps home",
        "エッジから自宅に届きません。tailscale status と docker compose ps home を確認してください。",
    ),
    "canary-mend-scanner": Text(
        "docker compose ps rspamd clamav; docker compose restart rspamd clamav",
        "docker compose ps rspamd clamav を確認し、docker compose restart rspamd clamav を実行してください。",
    ),
    "canary-mend-dovecot": Text(
        "docker compose ps dovecot mariadb; docker compose logs --tail 50 dovecot; is the mailbox full?",
        "docker compose ps dovecot mariadb と docker compose logs --tail 50 dovecot を確認してください。容量超過もありえます。",
    ),
    "canary-mend-imap": Text(
        "Phones cannot log in either: certificate and password (CANARY_PASSWORD), docker compose logs --tail 50 dovecot",
        "端末からもログインできない可能性があります。証明書、CANARY_PASSWORD、docker compose logs --tail 50 dovecot を確認してください。",
    ),
    "canary-mend-authentication": Text(
        "Our own mail is not proven to be ours: mxgw admin domain check DOMAIN (DKIM, DMARC).",
        "自分のメールの署名が確認できません。mxgw admin domain check ドメイン（DKIM、DMARC）を実行してください。",
    ),
    "canary-mend-forgery": Text(
        "A forged message passed as genuine: is MXGW_CHECKS of the edge complete? mxgw doctor",
        "偽造メールが本物として通りました。エッジの MXGW_CHECKS を確認し、mxgw doctor を実行してください。",
    ),
}
