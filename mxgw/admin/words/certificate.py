"""Certificates: until when, from whom, and what keeps a new one away."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

CERTIFICATE: Final = {
    "option-state": Text(
        "Where results and the ACME account are kept. [default: /var/lib/mxgw]",
        "結果と ACME アカウントの置き場所。省略時 /var/lib/mxgw。",
    ),
    "option-force": Text(
        "Also those that last longer than a month.", "期限まで 1 か月以上あっても更新します。"
    ),
    "short-certificate": Text("Certificates, and their renewal.", "TLS 証明書の確認と更新"),
    "help-certificate": Text(
        """\
The certificate of this machine (phones, webmail; from Tailscale), and that of
the MX name at the edge (from Let's Encrypt). A timer renews both.

Example:
  mxgw admin certificate show""",
        """\
この機械の証明書（端末・ウェブメール用、Tailscale が発行）と、エッジの MX の証明書
（Let's Encrypt が発行）を管理します。更新はタイマーが自動で行います。

例：
  mxgw admin certificate show""",
    ),
    "short-certificate-show": Text("Show until when they are good.", "有効期限を表示します。"),
    "help-certificate-show": Text(
        """\
Show until when the certificates are good. The exit code is 1 where one is
missing or has ended.

Example:
  mxgw admin certificate show""",
        """\
証明書の有効期限を表示します。ない場合や期限切れの場合、終了コードは 1 になります。

例：
  mxgw admin certificate show""",
    ),
    "short-certificate-renew": Text("Renew what ends within a month.", "期限が近い証明書を更新します。"),
    "help-certificate-renew": Text(
        """\
Renew the certificates that end within 30 days. Services take up the new one
without dropping anybody; what cannot be renewed stays in use as it is.

Examples:
  mxgw admin certificate renew
  mxgw admin certificate renew --force""",
        """\
期限まで 30 日を切った証明書を更新します。接続中の端末は切断されません。
更新できないときは、今の証明書を使い続けます。

例：
  mxgw admin certificate renew
  mxgw admin certificate renew --force""",
    ),
    "column-until": Text("good until", "有効期限"),
    "certificate-host": Text("this machine", "この機械"),
    "certificate-edge": Text("MX (edge)", "MX（エッジ）"),
    "certificate-missing": Text(
        "There is none that can be used: mxgw admin certificate renew",
        "使える証明書がありません：mxgw admin certificate renew",
    ),
    "certificate-days": Text("{days} days left.", "残り {days} 日です。"),
    "certificate-edge-off": Text(
        "The certificate of the MX name is not ours to renew: EDGE_TLS_SECRET is not set in .env",
        ".env に EDGE_TLS_SECRET がないため、MX の証明書は対象外です。",
    ),
    "certificate-renewed": Text("renewed; services have taken it up.", "更新し、各サービスに反映しました。"),
    "certificate-pushed": Text(
        "renewed; the edge takes it up within an hour.", "更新しました。1 時間以内にエッジに反映されます。"
    ),
    "certificate-same": Text(
        "Tailscale has no newer one yet.", "Tailscale にはまだ新しい証明書がありません。"
    ),
    "certificate-not-due": Text("good for more than a month.", "期限まで 1 か月以上あります。"),
    "certificate-not-reloaded": Text(
        "The new certificate is there, but not every service has taken it up ({why}); the next run tries again."
        " To do it now: docker compose restart SERVICE",
        "新しい証明書を置きましたが、反映できないサービスがあります（{why}）。次回の実行で再試行します。"
        "すぐに反映するには：docker compose restart サービス名",
    ),
    "certificate-needs-token": Text(
        "The certificate of the MX name needs CLOUDFLARE_API_TOKEN in .env (permission Zone > DNS > Edit).",
        "MX の証明書の取得には .env の CLOUDFLARE_API_TOKEN（権限 Zone > DNS > Edit）が必要です。",
    ),
    "new-certificate-unreadable": Text("What came is no certificate.", "証明書として読めません。"),
    "certificate-key-unreadable": Text(
        "The key that came with the certificate cannot be read.", "証明書の秘密鍵を読めません。"
    ),
    "certificate-key-differs": Text(
        "Certificate and key do not belong together; the old pair stays in use.",
        "証明書と秘密鍵が対になっていません。今の証明書を使い続けます。",
    ),
    "certificate-other-name": Text(
        "The certificate is for {names}, not for {name}; the old one stays in use.",
        "証明書の名前が {name} ではなく {names} です。今の証明書を使い続けます。",
    ),
    "new-certificate-ended": Text(
        "The certificate for {name} that came has ended already; is the clock right? timedatectl",
        "取得した {name} の証明書は期限切れです。時計を確認してください：timedatectl",
    ),
    "bad-host-name-setting": Text(
        "{variable} in .env is not a full host name such as mail.tail1234.ts.net",
        ".env の {variable} がホスト名になっていません（例：mail.tail1234.ts.net）。",
    ),
    "tls-directory-missing": Text(
        "There is no directory {path}; make it: ./prepare.sh in the stack's directory",
        "ディレクトリ {path} がありません。スタックのディレクトリで ./prepare.sh を実行してください。",
    ),
    "tls-directory-unwritable": Text(
        "The certificate cannot be written ({why}); run this as root, and look for space: df -h",
        "証明書を書き込めません（{why}）。root で実行し、空き容量（df -h）を確認してください。",
    ),
    "state-unwritable": Text(
        "The result cannot be written ({why}); run this as root.",
        "結果を書き込めません（{why}）。root で実行してください。",
    ),
    "tailscale-missing": Text(
        "There is no tailscale command here; run this on the machine with the mail server, as root.",
        "tailscale コマンドがありません。メールサーバーのある機械で root として実行してください。",
    ),
    "tailscale-silent": Text(
        "Tailscale gave no certificate within {seconds} seconds; is it connected? tailscale status",
        "Tailscale から {seconds} 秒以内に証明書を取得できません。接続を確認してください：tailscale status",
    ),
    "tailscale-no-https": Text(
        "Certificates are not switched on in your tailnet: https://login.tailscale.com/admin/dns > HTTPS"
        " Certificates > Enable",
        "tailnet で証明書が有効になっていません。https://login.tailscale.com/admin/dns の HTTPS Certificates で"
        " Enable を押してください。",
    ),
    "tailscale-other-name": Text(
        "{name} (MAIL_HOSTNAME in .env) is not this machine's name in the tailnet; tailscale status shows it ({why}).",
        ".env の MAIL_HOSTNAME（{name}）がこの機械の Tailscale 上の名前と違います（{why}）。tailscale status で確認してください。",
    ),
    "tailscale-logged-out": Text(
        "This machine is logged out of Tailscale: tailscale up",
        "Tailscale からログアウトしています：tailscale up",
    ),
    "tailscale-refuses": Text(
        "Tailscale gave no certificate: {why}", "Tailscale から証明書を取得できません：{why}"
    ),
    "acme-not-installed": Text(
        "The ACME library is not installed: pip install 'mxgw[admin]'",
        "ACME ライブラリがありません：pip install 'mxgw[admin]'",
    ),
    "acme-no-dns-challenge": Text(
        "The authority offers no challenge by DNS for this name.",
        "認証局が DNS による確認に対応していません。",
    ),
    "acme-account-unreadable": Text(
        "The account in {path} cannot be read; run this as root, or move the file away for a new account.",
        "アカウントのファイル {path} を読めません。root で実行するか、ファイルを移動して新しく作り直してください。",
    ),
    "acme-invalid": Text(
        "The authority does not find the challenge in DNS: {why}",
        "認証局が DNS の確認用レコードを確認できません：{why}",
    ),
    "acme-limited": Text(
        "The authority has given out too many certificates for this name; try again next week ({why}).",
        "この名前の証明書の発行数が上限に達しました。来週もう一度試してください（{why}）。",
    ),
    "acme-refuses": Text("The authority gives no certificate: {why}", "認証局に断られました：{why}"),
    "acme-unreachable": Text(
        "The authority at {directory} does not answer; the next run tries again.",
        "認証局 {directory} が応答しません。次回の実行で再試行します。",
    ),
    "acme-not-visible": Text(
        "The record {name} is written, but the servers of {zone} do not show it; are its name servers Cloudflare's?",
        "レコード {name} を書き込みましたが、{zone} のサーバーに現れません。ネームサーバーが Cloudflare か確認してください。",
    ),
}
