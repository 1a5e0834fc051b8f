"""Why a message was not taken, and what to do: one text for each Cause."""

# ruff: noqa: E501, RUF001
# Texts are shown in the lines they stand in; Japanese has its own brackets and colons.

from __future__ import annotations

from typing import Final

from mxgw.trail.words.text import Text

ADVICE: Final = {
    "cause-no-mailbox": Text(
        "There is no such mailbox. If there should be one: mxgw admin user add ADDRESS, or mxgw admin alias add; then ask the sender to send again.",
        "そのメールボックスはありません。必要なら mxgw admin user add アドレス（または mxgw admin alias add）で作り、送り直してもらってください。",
    ),
    "cause-mailbox-full": Text(
        "The mailbox is full. Raise its quota (mxgw admin user quota) or delete mail in it; a message that was put off then comes in by itself.",
        "メールボックスがいっぱいです。容量を増やす（mxgw admin user quota）か、メールを減らしてください。延期中のメールはそのあと自動で届きます。",
    ),
    "cause-mailbox-closed": Text(
        "The mailbox is closed: it is known at home and takes no mail. Open it again there if its owner should get mail.",
        "メールボックスが停止中です（家のサーバーにはありますが、受信しません）。受信させるなら、家のサーバーで再開してください。",
    ),
    "cause-too-large": Text(
        "The message, or its header, is larger than is taken. Ask for a link instead of the file, or raise MXGW_MAX_MESSAGE_OCTETS at the edge and the limits at home alike.",
        "メール（またはヘッダー）が上限より大きいものです。ファイルではなくリンクで送ってもらうか、エッジの MXGW_MAX_MESSAGE_OCTETS と家の上限を両方とも上げてください。",
    ),
    "cause-not-our-domain": Text(
        "The edge does not take mail for this domain. If it should, add it to MXGW_DOMAINS (on AWS: the parameter of the stack) and to home: mxgw admin domain add.",
        "エッジはこのドメインのメールを受け取りません。受け取るなら MXGW_DOMAINS（AWS ではスタックのパラメーター）と家（mxgw admin domain add）に加えてください。",
    ),
    "cause-spam-or-virus": Text(
        "The content scanner at home found spam or a virus. If the message is wanted, look at its symbols in Rspamd's history, and allow the sender there.",
        "家の検査で迷惑メールまたはウイルスと判定されました。必要なメールなら、Rspamd の履歴でシンボルを確かめ、送信者を許可してください。",
    ),
    "cause-not-scanned": Text(
        "The content could not be checked: Rspamd or its virus scanner does not answer. See that both run; the message comes again by itself.",
        "内容を検査できませんでした。Rspamd かウイルススキャナーが応答していません。両方の動作を確かめてください。メールは自動で再送されます。",
    ),
    "cause-dmarc": Text(
        "Nobody that the author's domain has named sent this message (DMARC), and the domain asks to refuse it. If it is genuine, its sender has to mend SPF or DKIM; forwarders that you trust go into MXGW_ARC_TRUSTED.",
        "差出人ドメインが認めていない送信元から届き（DMARC 不合格）、ドメインが拒否を求めています。本物なら、送信側で SPF か DKIM を直してもらってください。信頼する転送元は MXGW_ARC_TRUSTED に書けます。",
    ),
    "cause-no-author": Text(
        "The From field names nobody, or several in a way that cannot be trusted. The sender's program has to be mended.",
        "From フィールドから差出人を特定できません。送信側のプログラムを直してもらう必要があります。",
    ),
    "cause-dns-trouble": Text(
        "DNS did not answer in time, so the sender could not be checked. If this goes on, look at MXGW_DNS (mxgw check); the message comes again by itself.",
        "DNS が時間内に応答せず、送信者を確認できませんでした。続くようなら MXGW_DNS を確かめてください（mxgw check）。メールは自動で再送されます。",
    ),
    "cause-listed": Text(
        "The client's address is on a DNS list. Its owner has to be taken off there; to take its mail all the same, set MXGW_DNSBL=report.",
        "送信元アドレスが DNS ブラックリストに載っています。載った側が解除を申請する必要があります。それでも受け取るなら MXGW_DNSBL=report にしてください。",
    ),
    "cause-null-mx": Text(
        "The domain of the sender's address says that it takes no mail itself (null MX). To take its mail all the same, set MXGW_NULL_MX=report.",
        "差出人アドレスのドメインが、メールを受け取らないと宣言しています（null MX）。それでも受け取るなら MXGW_NULL_MX=report にしてください。",
    ),
    "cause-home-away": Text(
        "The mailbox server at home did not answer. See whether it, its network and the tailnet are up (mxgw check); the message comes again by itself.",
        "家のメールサーバーが応答しませんでした。サーバー、回線、tailnet を確かめてください（mxgw check）。メールは自動で再送されます。",
    ),
    "cause-home-says-later": Text(
        "The mailbox server at home asked to try again later. Its own log says why; the message comes again by itself.",
        "家のメールサーバーが、あとで送り直すよう求めました。理由は家のサーバーのログにあります。メールは自動で再送されます。",
    ),
    "cause-home-says-no": Text(
        "The mailbox server at home refused it; its reply above is the reason. When that is mended, ask the sender to send again.",
        "家のメールサーバーが拒否しました。理由は上の応答のとおりです。直したあと、送り直してもらってください。",
    ),
    "cause-some-have-it": Text(
        "Some recipients have it and others do not, and one answer must do for all: the sender is asked to come again, which is safe, since home keeps one copy.",
        "一部の宛先だけに保存されました。応答は全体で 1 つなので、送信側に再送を求めています。家には 1 通しか残らないため安全です。",
    ),
    "cause-form": Text(
        "The message breaks the form of mail (a bare CR or LF, or a line without an end). The sender's program has to be mended.",
        "メールの形式が誤っています（単独の CR や LF、終わりのない行）。送信側のプログラムを直してもらう必要があります。",
    ),
    "cause-loop": Text(
        "The message goes in a circle: look for a forwarding that leads back here.",
        "メールが循環しています。ここに戻ってくる転送設定を探してください。",
    ),
    "cause-busy": Text(
        "Too much mail came at once. It comes again by itself; if this goes on, look at MXGW_MAX_SPOOL_OCTETS and the number of tasks.",
        "一度に届いたメールが多すぎました。自動で再送されます。続くようなら MXGW_MAX_SPOOL_OCTETS とタスク数を確かめてください。",
    ),
    "cause-limit": Text(
        "The sender was asked to bring these recipients in another transaction, which senders do by themselves.",
        "この宛先は別の配送で送るよう求めました。送信側が自動で行います。",
    ),
    "cause-client-left": Text(
        "The client closed the connection before it was answered. Its own log says why; often its time limit is shorter than home is slow.",
        "応答の前に相手が接続を切りました。理由は相手のログにあります。家の応答が遅く、相手の待ち時間を超えた場合によく起こります。",
    ),
    "cause-our-fault": Text(
        "Something went wrong in the gateway or in what home said. The log around this time has the details: please report it.",
        "ゲートウェイの内部、または家の応答に問題がありました。この時刻の前後のログに詳細があります。報告してください。",
    ),
    "cause-unknown": Text(
        "The log does not say why in words that this version knows.",
        "理由は、このバージョンの知らない言葉でログに書かれています。",
    ),
}
