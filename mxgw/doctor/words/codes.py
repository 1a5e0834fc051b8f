"""The short codes at the end of the gateway's replies: what happened, what the sender does, what you do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mxgw.admin.words.text import Text


@dataclass(frozen=True, slots=True)
class Explained:
    """One code. ``sender`` is for whoever wrote the mail, ``admin`` for whoever runs this server."""

    what: Text
    sender: Text
    admin: Text


_NOTHING = Text("Nothing.", "何もする必要はありません。")
_WAIT = Text(
    "Nothing: the sender's server keeps the mail and tries again by itself.",
    "何もする必要はありません。送信側のサーバーがメールを保管し、自動で再送します。",
)
_SENDERS_PROGRAM = Text(
    "The sending program made a mistake; its maker or administrator has to mend it.",
    "送信側のプログラムの誤りです。そのプログラムの作成者か管理者が直す必要があります。",
)
_LOOK = Text(
    "Nothing, unless a sender that matters to you complains: mxgw trace ADDRESS shows what it sent.",
    "大切な相手から連絡がない限り不要です。mxgw trace アドレス で、相手が何を送ったかを確認できます。",
)

CODES: Final[dict[str, Explained]] = {
    # -- the session
    "M10": Explained(
        Text(
            "This task of the edge is being replaced or stopped.",
            "edge のタスクが入れ替え中、または停止中です。",
        ),
        _WAIT,
        Text(
            "Nothing: it happens at every update of the edge.", "不要です。edge を更新するたびに起こります。"
        ),
    ),
    "M11": Explained(
        Text("More connections at once than one task takes.", "同時接続数が 1 タスクの上限を超えました。"),
        _WAIT,
        Text(
            "If it goes on for hours, look at the number of tasks, and at MXGW_MAX_SESSIONS.",
            "何時間も続く場合は、タスク数と MXGW_MAX_SESSIONS を確認してください。",
        ),
    ),
    "M12": Explained(
        Text(
            "Too many connections at once from one network (/24, or /64 of IPv6).",
            "同じネットワーク（/24、IPv6 は /64）からの同時接続が多すぎます。",
        ),
        _WAIT,
        Text(
            "Nothing. A large sender that always meets it needs a higher MXGW_MAX_SESSIONS_PER_CLIENT.",
            "不要です。大量に送る正規の相手で毎回起こる場合は MXGW_MAX_SESSIONS_PER_CLIENT を上げてください。",
        ),
    ),
    "M13": Explained(
        Text(
            "The client made too many mistakes in one session.",
            "1 回の接続で誤りが多すぎたため切断しました。",
        ),
        Text(
            "See which addresses or commands were refused before; that is the cause.",
            "直前に拒否された宛先やコマンドを確認してください。それが原因です。",
        ),
        _LOOK,
    ),
    "M14": Explained(
        Text("Many commands, but no message.", "コマンドばかりでメールが送られないため切断しました。"),
        _SENDERS_PROGRAM,
        _NOTHING,
    ),
    "M15": Explained(
        Text(
            "Enough messages over one connection; the next one may go to another task.",
            "1 回の接続で送れる通数に達しました。次の接続は別のタスクに割り振られることがあります。",
        ),
        _WAIT,
        _NOTHING,
    ),
    "M16": Explained(
        Text("The client was silent for too long.", "相手が長時間何も送らなかったため切断しました。"),
        Text(
            "The sending server tries again; if it never works, its network or firewall is slow or cuts connections.",
            "送信側が再送します。何度も起こる場合は、送信側の回線やファイアウォールを確認してください。",
        ),
        _LOOK,
    ),
    "M17": Explained(
        Text(
            "The client talked before it was greeted, as programs that send spam do.",
            "挨拶を待たずに話し始めました。迷惑メールを送るプログラムに多い動作です。",
        ),
        _SENDERS_PROGRAM,
        _LOOK,
    ),
    "M18": Explained(
        Text(
            "Somebody else than the edge spoke to the door at home.",
            "自宅側のポート 2525 に、edge 以外から接続がありました。",
        ),
        Text("Send to the MX of the domain.", "ドメインの MX 宛てに送ってください。"),
        Text(
            "If it was the edge: its address must be in EDGE_NETWORKS of .env.",
            "edge からの接続だった場合は、.env の EDGE_NETWORKS にそのアドレスを含めてください。",
        ),
    ),
    # -- commands
    "M20": Explained(
        Text(
            "A command that SMTP does not know, or badly written.",
            "SMTP にないコマンド、または書き方の誤りです。",
        ),
        _SENDERS_PROGRAM,
        _NOTHING,
    ),
    "M21": Explained(
        Text(
            'A command came in the wrong order. "No valid recipients" means that every address was refused before.',
            "コマンドの順序が誤っています。「No valid recipients」は、宛先がすべて拒否されたという意味です。",
        ),
        Text(
            "See the replies to the addresses: they hold the true reason.",
            "宛先ごとの返答を確認してください。そこに本当の理由があります。",
        ),
        _NOTHING,
    ),
    "M22": Explained(
        Text("STARTTLS at the wrong moment.", "STARTTLS の使い方が誤っています。"),
        _SENDERS_PROGRAM,
        Text(
            "If STARTTLS is not offered at all: mxgw doctor --edge shows the certificate.",
            "STARTTLS 自体が提供されていない場合は、mxgw doctor --edge で証明書を確認してください。",
        ),
    ),
    "M23": Explained(
        Text(
            "The mail asks for encryption all the way (REQUIRETLS), but came unencrypted.",
            "全経路の暗号化（REQUIRETLS）を求めるメールが、暗号化なしで送られました。",
        ),
        Text(
            "Use STARTTLS, or send without REQUIRETLS.",
            "STARTTLS を使うか、REQUIRETLS なしで送ってください。",
        ),
        _NOTHING,
    ),
    "M24": Explained(
        Text(
            "The client sent content before it was asked for; that is how smuggled mail looks.",
            "許可を待たずに本文が送られました。なりすましの手口と区別できないため断ります。",
        ),
        _SENDERS_PROGRAM,
        _LOOK,
    ),
    "M25": Explained(
        Text(
            "XCLIENT, which only the edge may say, and only in its form.",
            "XCLIENT は edge だけが、決められた形で使えます。",
        ),
        _SENDERS_PROGRAM,
        Text(
            "If it was the edge: edge and home must be of versions that go together; update both.",
            "edge からの場合は、edge と自宅側のバージョンをそろえてください。",
        ),
    ),
    "M26": Explained(
        Text(
            "A parameter of MAIL or RCPT that is not known or badly written.",
            "MAIL や RCPT のパラメーターが不明か誤りです。",
        ),
        _SENDERS_PROGRAM,
        _NOTHING,
    ),
    # -- addresses
    "M30": Explained(
        Text(
            "The sender's address is not written as an address.", "差出人アドレスの書式が正しくありません。"
        ),
        Text(
            "Correct the sender's address in the program that sends.",
            "送信プログラムの差出人アドレスを直してください。",
        ),
        _NOTHING,
    ),
    "M31": Explained(
        Text(
            "The recipient's address is not written as an address.", "宛先アドレスの書式が正しくありません。"
        ),
        Text("Correct the address and send again.", "アドレスを直して送り直してください。"),
        _NOTHING,
    ),
    "M32": Explained(
        Text(
            "An address with letters beyond ASCII, from a program that did not say SMTPUTF8.",
            "日本語などを含むアドレスですが、送信側が SMTPUTF8 を宣言していません。",
        ),
        _SENDERS_PROGRAM,
        _NOTHING,
    ),
    "M33": Explained(
        Text(
            "The address is of a domain that has no mailboxes here.",
            "このサーバーで受け取っていないドメイン宛てです。",
        ),
        Text("Check the part after the @.", "@ の後ろを確認してください。"),
        Text(
            "If the domain is yours: mxgw admin domain add, and mxgw admin domain check.",
            "自分のドメインの場合は mxgw admin domain add で追加し、mxgw admin domain check で確認してください。",
        ),
    ),
    "M34": Explained(
        Text("There is no such mailbox.", "その宛先のメールボックスはありません。"),
        Text("Check the part before the @.", "@ の前を確認してください。"),
        Text(
            "If it should exist: mxgw admin user list, mxgw admin alias list.",
            "あるはずの場合は mxgw admin user list と mxgw admin alias list で確認してください。",
        ),
    ),
    "M35": Explained(
        Text("The mailbox is full.", "メールボックスの容量がいっぱいです。"),
        Text(
            "Tell the recipient by another way, and send again later.",
            "別の手段で受取人に知らせ、後で送り直してください。",
        ),
        Text(
            "mxgw admin user list shows how full; mxgw admin user quota gives more, or the user deletes mail.",
            "mxgw admin user list で使用量を確認し、mxgw admin user quota で増やすか、利用者がメールを削除します。",
        ),
    ),
    "M36": Explained(
        Text(
            "Too many recipients at once; the others follow by themselves.",
            "一度の宛先が多すぎます。残りは自動で別に送られます。",
        ),
        _WAIT,
        _NOTHING,
    ),
    "M37": Explained(
        Text(
            "A report of non-delivery is for one person; this one names several.",
            "エラー通知の宛先は 1 人のはずですが、複数指定されています。",
        ),
        _WAIT,
        _NOTHING,
    ),
    "M38": Explained(
        Text(
            "These recipients got different answers before, so each now gets a transaction of its own.",
            "前回、宛先ごとに結果が分かれたため、1 件ずつ送ってもらいます。",
        ),
        _WAIT,
        _NOTHING,
    ),
    "M39": Explained(
        Text(
            "The mailbox server takes no addresses with letters beyond ASCII.",
            "メールボックス側が日本語などを含むアドレスに対応していません。",
        ),
        Text("Use an address in ASCII.", "英数字のアドレスを使ってください。"),
        _NOTHING,
    ),
    # -- content
    "M40": Explained(
        Text(
            "A line ends with CR or LF alone. Servers disagree on what that means, which is used to smuggle mail.",
            "改行が CRLF ではありません。サーバーによって解釈が異なり、偽装に悪用されるため断ります。",
        ),
        _SENDERS_PROGRAM,
        Text(
            "Tell the sender's administrator; old programs and devices (printers, scanners) do this.",
            "送信側の管理者に伝えてください。古いプログラムや複合機で起こります。",
        ),
    ),
    "M41": Explained(
        Text(
            "A line of more than 1 MiB: no mail program writes that.",
            "1 行が 1 MiB を超えています。通常のメールではありません。",
        ),
        _SENDERS_PROGRAM,
        _NOTHING,
    ),
    "M42": Explained(
        Text(
            "The message is too large: 36 MiB at most, which is 25 MB of files.",
            "メールが大きすぎます。上限は 36 MiB（添付ファイルで約 25 MB）です。",
        ),
        Text(
            "Send fewer files at once, or a link to them.",
            "ファイルを分けて送るか、ファイル共有サービスのリンクを送ってください。",
        ),
        _NOTHING,
    ),
    "M43": Explained(
        Text("The header is larger than any real mail has.", "ヘッダーが異常に大きいメールです。"),
        _SENDERS_PROGRAM,
        _NOTHING,
    ),
    "M44": Explained(
        Text("The mail has been forwarded in a circle.", "メールが転送のループに入っています。"),
        Text(
            "Somebody forwards to an address that forwards back: end one of the two.",
            "互いに転送し合う設定があります。どちらかの転送を止めてください。",
        ),
        Text(
            "Look for forwarding to and from your addresses: mxgw admin alias list, and at the other server.",
            "自分のアドレスに関わる転送を確認してください：mxgw admin alias list と、相手側の設定。",
        ),
    ),
    # -- who sent it
    "M50": Explained(
        Text(
            "The mail is not proven to come from the domain in From, and that domain asks to refuse such mail.",
            "差出人のドメインから送られたと確認できず、そのドメインが拒否を求めています（DMARC）。",
        ),
        Text(
            "Send through the domain's own servers, or let its administrator add yours (SPF, DKIM).",
            "そのドメインの正規のサーバーから送るか、管理者に SPF・DKIM の設定を依頼してください。",
        ),
        Text(
            "mxgw verify LETTER shows why. A mailing list that you trust goes into MXGW_ARC_TRUSTED.",
            "理由は mxgw verify で確認できます。信頼するメーリングリストは MXGW_ARC_TRUSTED に加えます。",
        ),
    ),
    "M51": Explained(
        Text(
            "The From field is missing, doubled or unreadable, so nobody can be asked for a policy.",
            "From がない、複数ある、または読み取れないため、差出人を確認できません。",
        ),
        _SENDERS_PROGRAM,
        _LOOK,
    ),
    "M52": Explained(
        Text(
            "DNS did not say how to treat mail of this domain.",
            "DNS から差出人ドメインの方針を取得できませんでした。",
        ),
        _WAIT,
        Text(
            "If it goes on with many domains: the edge's resolver is in trouble (MXGW_DNS).",
            "多くのドメインで続く場合は、edge の DNS（MXGW_DNS）を確認してください。",
        ),
    ),
    "M53": Explained(
        Text(
            "DNS did not give the keys of a forwarder's seals.",
            "DNS から転送元の署名（ARC）の鍵を取得できませんでした。",
        ),
        _WAIT,
        Text("As with M52.", "M52 と同じです。"),
    ),
    "M54": Explained(
        Text(
            "The sending server's address is on a block list.",
            "送信サーバーのアドレスがブロックリストに載っています。",
        ),
        Text(
            "Ask the list that the reply names to take the address off.",
            "返答に書かれたリストの運営者に、解除を依頼してください。",
        ),
        Text(
            "If lists refuse mail that you want: MXGW_DNSBL=report only writes the listing down.",
            "必要なメールが拒否される場合は、MXGW_DNSBL=report にすると記録だけになります。",
        ),
    ),
    "M55": Explained(
        Text(
            "The domain of the sender's address says in DNS that it takes no mail (null MX, RFC 7505).",
            "差出人アドレスのドメインが、メールを受け取らないと DNS で宣言しています（null MX、RFC 7505）。",
        ),
        Text(
            "Send from an address of a domain that takes mail, so that errors can be reported to it.",
            "エラー通知を受け取れるよう、メールを受信できるドメインのアドレスから送ってください。",
        ),
        Text(
            "If it refuses newsletters that you want: MXGW_NULL_MX=report only writes it down.",
            "必要なメールマガジンが拒否される場合は、MXGW_NULL_MX=report にすると記録だけになります。",
        ),
    ),
    # -- spam and viruses
    "M60": Explained(
        Text("Rspamd is sure that this is spam.", "迷惑メールと判定されました。"),
        Text(
            "Write in plain words, without unknown links, and let your domain sign its mail.",
            "不審なリンクなどを避け、送信ドメインの認証（SPF・DKIM）を整えて送り直してください。",
        ),
        Text(
            "If it was no spam: docker compose logs home names the rules; rspamd/local.d has the weights.",
            "誤判定の場合は docker compose logs home に理由が出ます。重みは rspamd/local.d で調整します。",
        ),
    ),
    "M61": Explained(
        Text("ClamAV found a virus.", "ウイルスが検出されました。"),
        Text("Check your computer for viruses.", "お使いの機器をウイルス検査してください。"),
        Text("Nothing: it was not stored.", "不要です。メールは保存されていません。"),
    ),
    "M62": Explained(
        Text("Rspamd asks to see this message again later.", "迷惑メール検査が、後での再送を求めています。"),
        _WAIT,
        _LOOK,
    ),
    "M63": Explained(
        Text(
            "Rspamd or ClamAV at home does not answer, so nothing is let through unseen.",
            "自宅の Rspamd か ClamAV が応答せず、検査なしでは受け取らない設定です。",
        ),
        _WAIT,
        Text(
            "docker compose ps rspamd clamav. After a start ClamAV needs some minutes. MXGW_UNSCANNED=accept takes mail"
            " unscanned.",
            "docker compose ps rspamd clamav で確認してください。ClamAV は起動に数分かかります。MXGW_UNSCANNED=accept"
            " にすると検査なしで受け取ります。",
        ),
    ),
    # -- home
    "M70": Explained(
        Text("The mail server at home cannot be reached.", "自宅のメールサーバーに接続できません。"),
        _WAIT,
        Text(
            "Is the machine on, and in the tailnet (tailscale status)? docker compose ps home. Senders wait some days.",
            "機械の電源、tailscale status、docker compose ps home を確認してください。送信側は数日待ちます。",
        ),
    ),
    "M71": Explained(
        Text("A fault of our own program.", "こちらのプログラムの不具合です。"),
        _WAIT,
        Text(
            "The log has an event named crashed: please report it.",
            "ログの crashed という行を添えて報告してください。",
        ),
    ),
    "M72": Explained(
        Text(
            "More mail at once than there is room for.",
            "同時に届くメールが多く、一時的に置き場がありません。",
        ),
        _WAIT,
        Text(
            "If it goes on: MXGW_MAX_SPOOL_OCTETS, or more tasks.",
            "続く場合は MXGW_MAX_SPOOL_OCTETS かタスク数を増やしてください。",
        ),
    ),
    "M73": Explained(
        Text(
            "Home did not say for every recipient that the mail is stored.",
            "一部の宛先について、保存の返事がありませんでした。",
        ),
        _WAIT,
        Text(
            "As with M70; what is stored already is not stored twice.",
            "M70 と同じです。保存済みの分は重複しません。",
        ),
    ),
    "M74": Explained(
        Text("The mailbox server asks to try again later.", "メールボックス側が後での再送を求めています。"),
        _WAIT,
        Text(
            "If it goes on: docker compose logs dovecot (MariaDB away, disk full).",
            "続く場合は docker compose logs dovecot を確認してください（MariaDB の停止、ディスク不足など）。",
        ),
    ),
    "M75": Explained(
        Text(
            "A recipient was put off before, so nothing final is said of this transaction.",
            "一部の宛先が保留中のため、この送信全体を保留にしました。",
        ),
        _WAIT,
        _NOTHING,
    ),
    "M76": Explained(
        Text(
            "Some of the recipients have the mail, others do not.",
            "一部の宛先には届き、ほかは届いていません。",
        ),
        _WAIT,
        Text(
            "Nothing: whoever has it does not get it again.",
            "不要です。届いた人に重複して届くことはありません。",
        ),
    ),
    "M77": Explained(
        Text(
            "For days some recipients have the mail and others refuse it; the reply says who is who.",
            "何日も、届いた宛先と拒否された宛先に分かれています。返答に内訳があります。",
        ),
        Text(
            "Send again to those who were refused only, if at all.",
            "送り直すなら、拒否された宛先だけにしてください。",
        ),
        _NOTHING,
    ),
    "M78": Explained(
        Text(
            "The mailbox server refuses, for the reason in the reply.",
            "メールボックス側が拒否しました。理由は返答のとおりです。",
        ),
        Text("See the words before the code.", "コードの前の文を確認してください。"),
        Text("docker compose logs dovecot home", "docker compose logs dovecot home で確認してください。"),
    ),
}
"""By code. A code stays what it is for good: bounces with it are kept for years."""

PAGE_HEAD: Final = """\
# Reply codes / 返答コード

Every refusal and every delay that the gateway answers ends with a short code, such as `#M34`. Written by
`python -m mxgw.doctor.reply_codes`; `mxgw doctor M34` says the same on a terminal.

ゲートウェイの拒否と保留の返答は、必ず `#M34` のような短いコードで終わります。`mxgw doctor M34` でも同じ説明を表示できます。
"""

PAGE_SECTION: Final = """
## {code}

{what.en}

- Sender: {sender.en}
- Administrator: {admin.en}

{what.ja}

- 送信者：{sender.ja}
- 管理者：{admin.ja}
"""
