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
  mxgw admin canary --record   the TXT record for its key (CANARY_WAY=direct)""",
        """\
署名した試験メールを本番と同じ経路で送り、届いたことを IMAP で確かめて削除します。続いて
偽造メールを送り、拒否されるか印が付くことを確かめます（タイマーが 10 分ごとに実行）。
.env に専用のメールボックス CANARY_TO と CANARY_PASSWORD を設定してください
（mxgw admin user add canary@ドメイン）。CANARY_WAY は sendgrid か direct です。

例：
  mxgw admin canary
  mxgw admin canary --record   鍵の TXT レコードを表示（CANARY_WAY=direct の場合）""",
    ),
    "option-canary-record": Text(
        "Send nothing; show the DNS record that its key needs.", "送信せず、鍵に必要な DNS レコードを表示。"
    ),
    "canary-record": Text(
        "A TXT record for the name {name} (at Cloudflare; proxy does not matter), in one line:",
        "次の 1 行を、名前 {name} の TXT レコードとして Cloudflare に登録してください：",
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
