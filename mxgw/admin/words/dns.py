"""DNS records: what to set, what was found, and how to mend it."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

DNS: Final = {
    # -- the domain itself
    "domain-spelled": Text("{written} (in DNS: {domain})", "{written}（DNS では {domain}）"),
    "domain-aliases-went": Text("Its aliases are gone, too: {aliases}", "別名も削除しました：{aliases}"),
    "warn-domain-not-here": Text(
        "{domain} is not a domain of this server yet: mxgw admin domain add {domain}",
        "{domain} はまだこのサーバーに追加されていません：mxgw admin domain add {domain}",
    ),
    # -- what to set
    "records-intro": Text(
        "DNS records of {domain}. In Cloudflare: DNS > Records > Add record, one for each line; TTL Auto.",
        "{domain} の DNS レコードです。Cloudflare の「DNS」→「レコード」→「レコードを追加」で 1 行ずつ設定します（TTL は自動）。",
    ),
    "records-brackets": Text(
        "What stands in <brackets> is said by SendGrid or AWS; everything else is copied as it is.",
        "< > の部分は SendGrid や AWS の画面に表示される値です。それ以外はそのまま貼り付けてください。",
    ),
    "records-policy": Text(
        """\
The text for https://mta-sts.{domain}/.well-known/mta-sts.txt (testing first, enforce when no report complains):
  {policy}""",
        """\
https://mta-sts.{domain}/.well-known/mta-sts.txt の内容（最初は testing、問題の報告がなければ enforce にします）：
  {policy}""",
    ),
    "note-mx-address": Text(
        "address of the edge; proxy OFF (grey cloud)", "エッジの固定アドレス。プロキシは必ずオフ（灰色の雲）"
    ),
    "note-mx-address-unknown": Text(
        "outputs MxAddressA and MxAddressB of the stack mxgw-base; proxy OFF (grey cloud)",
        "mxgw-base スタックの出力 MxAddressA と MxAddressB。プロキシは必ずオフ（灰色の雲）",
    ),
    "note-mx": Text("priority 10: mail comes in here", "優先度 10。メールの受信先"),
    "note-spf": Text(
        "SendGrid may send; one SPF record per domain", "SendGrid に送信を許可。SPF はドメインに 1 つだけ"
    ),
    "note-dkim": Text(
        "copy from SendGrid: Settings > Sender Authentication; proxy OFF",
        "SendGrid の Settings > Sender Authentication から転記。プロキシはオフ",
    ),
    "note-return-path": Text("copy from SendGrid, same page; proxy OFF", "同じ画面から転記。プロキシはオフ"),
    "note-signed": Text("as SendGrid asks; proxy OFF", "SendGrid の指定値。プロキシはオフ"),
    "note-dmarc": Text(
        "after DKIM works; reject instead of quarantine once the reports are clean",
        "DKIM の設定後に追加。報告に問題がなければ quarantine を reject に",
    ),
    "note-tls-rpt": Text("reports of failed encryption", "暗号化の失敗の報告先"),
    "note-mta-sts": Text("change id whenever the policy changes", "ポリシーを変えたら id も変更"),
    "note-mta-sts-host": Text(
        "serves the text below by HTTPS; with the Worker in ecs/mta-sts, Cloudflare makes this record itself",
        "下の内容を HTTPS で公開。ecs/mta-sts の Worker を使う場合、このレコードは Cloudflare が自動で作成",
    ),
    "note-outlook": Text(
        "priority 0, weight 0, port 443, and this target: Outlook on the tailnet sets itself up",
        "優先度 0、重み 0、ポート 443、ターゲットは下の値。tailnet 内の Outlook の自動設定用",
    ),
    "note-thunderbird": Text(
        "this server in the tailnet; proxy OFF: Thunderbird on the tailnet sets itself up",
        "tailnet でのこのサーバーのアドレス。プロキシはオフ。tailnet 内の Thunderbird の自動設定用",
    ),
    # -- the table of a check
    "column-record": Text("record", "レコード"),
    "column-result": Text("result", "結果"),
    "column-finding": Text("finding", "確認内容"),
    "level-ok": Text("ok", "正常"),
    "level-warning": Text("warning", "注意"),
    "level-failed": Text("wrong", "異常"),
    "check-seen": Text("DNS has: {text}", "現在の値：{text}"),
    "check-mend": Text("To do: {text}", "対処：{text}"),
    "check-good": Text("All records of {domain} are right.", "{domain} のレコードはすべて正常です。"),
    "check-warned": Text(
        "Mail of {domain} works; {warnings} to improve.",
        "{domain} のメールは使えます。改善できる点が {warnings} 件あります。",
    ),
    "check-failed": Text(
        "{failed} wrong at {domain}, and {warnings} to improve. After a change, wait some minutes and check again.",
        "{domain} に異常が {failed} 件、改善できる点が {warnings} 件あります。変更後は数分待って再確認してください。",
    ),
    # -- what resolvers remember
    "memory-intro": Text("What resolvers say that others ask:", "ほかの人が使うリゾルバーが返している内容："),
    "column-resolver": Text("resolver", "リゾルバー"),
    "memory-current": Text("current", "最新"),
    "memory-old": Text("old", "古い"),
    "memory-silent": Text("silent", "応答なし"),
    "memory-is-current": Text(
        "says what the domain's own servers say.", "ドメインのネームサーバーと同じ内容です。"
    ),
    "memory-is-silent": Text(
        "did not answer; what it remembers is not known.", "応答がなく、記憶している内容は分かりません。"
    ),
    "memory-line": Text(
        "until {time} (at most {minutes} min): {kind} {name} = {seen}",
        "{time} まで（最長 {minutes} 分）：{kind} {name} = {seen}",
    ),
    "memory-line-nothing": Text(
        "until {time} (at most {minutes} min): {kind} {name} does not exist",
        "{time} まで（最長 {minutes} 分）：{kind} {name} は存在しません",
    ),
    "memory-wait": Text(
        "These resolvers still give old answers, and part of the internet goes by them: nothing to do but wait until"
        " {time}. Others may remember a little longer.",
        "これらのリゾルバーはまだ古い内容を返すため、一部の相手には反映されていません。{time} までお待ちください"
        "（ほかのリゾルバーではもう少しかかることがあります）。",
    ),
    # -- findings
    "dns-away": Text(
        "DNS did not answer for {name}, so nothing is known.",
        "{name} について DNS の応答がなく、確認できませんでした。",
    ),
    "mend-dns-away": Text(
        "try again in a minute, or ask another server: --dns 1.1.1.1",
        "少し待って再実行するか、別のサーバーで確認してください：--dns 1.1.1.1",
    ),
    "dns-no-domain": Text("{domain} does not exist in DNS.", "{domain} は DNS に存在しません。"),
    "mend-no-domain": Text(
        "check the spelling, that the domain is paid for, and that its name servers are Cloudflare's.",
        "綴り、ドメインの有効期限、ネームサーバーが Cloudflare になっているかを確認してください。",
    ),
    "mx-ok": Text("mail goes to {host}.", "メールの受信先は {host} です。"),
    "mx-missing": Text("there is no MX record: no mail arrives.", "MX レコードがなく、メールが届きません。"),
    "mx-null": Text(
        "the MX record says that this domain takes no mail.",
        "MX レコードが「受信しない」設定になっています。",
    ),
    "mx-elsewhere": Text(
        "mail goes elsewhere: {others}, not to {host}.",
        "メールの受信先が {host} ではなく {others} になっています。",
    ),
    "mx-others": Text(
        "some of the mail goes elsewhere: {others}.", "一部のメールが別の場所（{others}）に届きます。"
    ),
    "mend-mx": Text(
        "set one MX record at @ : {host}, priority 10, and delete others.",
        "@ の MX レコードを {host}（優先度 10）だけにしてください。",
    ),
    "mend-mx-others": Text(
        "delete the MX records other than {host}.", "{host} 以外の MX レコードを削除してください。"
    ),
    "address-ok": Text("{host} has its address.", "{host} のアドレスは正常です。"),
    "address-missing": Text(
        "{host} has no IPv4 address: nobody can reach it.", "{host} に IPv4 アドレスがありません。"
    ),
    "address-proxied": Text(
        "{host} leads to Cloudflare's proxy ({found}), which carries no mail.",
        "{host} が Cloudflare のプロキシ（{found}）を指しています。プロキシはメールを通しません。",
    ),
    "address-inside": Text(
        "{host} leads to {found}, which cannot be reached from the internet.",
        "{host} の {found} はインターネットから到達できません。",
    ),
    "address-elsewhere": Text(
        "{host} leads to {found}, which is not the edge ({wanted}).",
        "{host} の {found} はエッジのアドレス（{wanted}）ではありません。",
    ),
    "address-incomplete": Text(
        "{host} does not have all addresses of the edge ({wanted}).",
        "{host} にエッジのアドレスの一部がありません（正：{wanted}）。",
    ),
    "address-v6": Text(
        "{host} has the IPv6 address {found}, where the edge does not listen.",
        "{host} に IPv6 アドレス {found} がありますが、エッジは IPv6 で受信しません。",
    ),
    "mend-address": Text(
        "set A records at {host}: {wanted}", "{host} の A レコードを設定してください：{wanted}"
    ),
    "mend-address-proxied": Text(
        "in Cloudflare, click the orange cloud of {host} so that it turns grey (DNS only).",
        "Cloudflare で {host} のオレンジ色の雲をクリックし、灰色（DNS のみ）にしてください。",
    ),
    "mend-address-v6": Text(
        "delete the AAAA record of {host}.", "{host} の AAAA レコードを削除してください。"
    ),
    "spf-ok": Text("SendGrid may send, others may not.", "SendGrid からの送信だけを許可しています。"),
    "spf-missing": Text(
        "there is no SPF record: sent mail is taken for spam.",
        "SPF レコードがなく、送信メールが迷惑メール扱いされます。",
    ),
    "spf-several": Text(
        "there are {count} SPF records, so none counts.",
        "SPF レコードが {count} 個あり、すべて無効になります。",
    ),
    "spf-syntax": Text(
        "the SPF record cannot be read: {why}.", "SPF レコードの書式に誤りがあります（{why}）。"
    ),
    "spf-without-sendgrid": Text(
        "the SPF record does not let SendGrid send.", "SPF レコードが SendGrid からの送信を許可していません。"
    ),
    "spf-open": Text(
        "the SPF record lets everybody send in this name.", "SPF レコードが誰からの送信でも許可しています。"
    ),
    "spf-endless": Text(
        "the SPF record does not say what holds for others.", "SPF レコードの末尾にその他の扱いがありません。"
    ),
    "mend-spf-missing": Text(
        "add a TXT record at @ : v=spf1 include:sendgrid.net ~all",
        "@ に TXT レコードを追加してください：v=spf1 include:sendgrid.net ~all",
    ),
    "mend-spf-several": Text(
        "put them into one, and delete the others; for SendGrid alone: v=spf1 include:sendgrid.net ~all",
        "1 つにまとめて残りを削除してください。SendGrid だけなら：v=spf1 include:sendgrid.net ~all",
    ),
    "mend-spf": Text(
        "write it anew; for SendGrid alone: v=spf1 include:sendgrid.net ~all",
        "書き直してください。SendGrid だけなら：v=spf1 include:sendgrid.net ~all",
    ),
    "mend-spf-sendgrid": Text(
        "put include:sendgrid.net into it, before its ...all.",
        "末尾の all の前に include:sendgrid.net を入れてください。",
    ),
    "mend-spf-all": Text("end it with ~all", "末尾を ~all にしてください。"),
    "dkim-ok": Text("SendGrid's key {selector} is found.", "SendGrid の鍵 {selector} が見つかりました。"),
    "dkim-missing": Text(
        "there is no DKIM key at {name}: sent mail is taken for spam.",
        "{name} に DKIM の鍵がなく、送信メールが迷惑メール扱いされます。",
    ),
    "dkim-several": Text(
        "there are {count} DKIM keys at {name}; receivers may take the wrong one.",
        "{name} に DKIM の鍵が {count} 個あり、誤った鍵が使われるおそれがあります。",
    ),
    "dkim-revoked": Text("the DKIM key at {name} is revoked.", "{name} の DKIM の鍵は失効しています。"),
    "mend-dkim": Text(
        "in SendGrid, Settings > Sender Authentication shows the CNAME of {selector}; set it with proxy OFF, then"
        " press Verify there.",
        "SendGrid の Settings > Sender Authentication に表示される {selector} の CNAME を設定し（プロキシはオフ）、"
        "Verify を押してください。",
    ),
    "mend-dkim-several": Text(
        "leave only SendGrid's CNAME at {name}.", "{name} には SendGrid の CNAME だけを残してください。"
    ),
    "dmarc-ok": Text("forged mail is to be treated as: {policy}.", "なりすましメールの扱い：{policy}"),
    "dmarc-missing": Text(
        "there is no DMARC record: anybody can write in this name.",
        "DMARC レコードがなく、なりすましを防げません。",
    ),
    "dmarc-unreadable": Text(
        "what stands at {name} is not a DMARC record.", "{name} の内容は DMARC レコードとして読めません。"
    ),
    "dmarc-several": Text(
        "there are {count} DMARC records, so none counts.",
        "DMARC レコードが {count} 個あり、すべて無効になります。",
    ),
    "dmarc-problem": Text("the DMARC record is wrong: {why}.", "DMARC レコードに誤りがあります（{why}）。"),
    "dmarc-none": Text(
        "the DMARC record only watches: forged mail still arrives.",
        "DMARC が監視のみのため、なりすましメールが届きます。",
    ),
    "dmarc-silent": Text("the DMARC record asks for no reports.", "DMARC レコードに報告先がありません。"),
    "mend-dmarc": Text(
        "set one TXT record at _dmarc : v=DMARC1; p=quarantine; rua=mailto:{reports}",
        "_dmarc の TXT レコードを 1 つだけ設定してください：v=DMARC1; p=quarantine; rua=mailto:{reports}",
    ),
    "mend-dmarc-several": Text("delete all but one.", "1 つだけ残して削除してください。"),
    "mend-dmarc-none": Text(
        "when the reports to {reports} are clean: p=quarantine, later p=reject, and no t=y.",
        "{reports} への報告に問題がなければ p=quarantine、その後 p=reject にし、t=y は外してください。",
    ),
    "mend-dmarc-silent": Text("add to it: rua=mailto:{reports}", "追加してください：rua=mailto:{reports}"),
    "tls-rpt-ok": Text("reports of failed encryption are asked for.", "暗号化の失敗の報告先があります。"),
    "tls-rpt-missing": Text(
        "nobody is told when encryption fails.", "暗号化に失敗したときの報告先がありません。"
    ),
    "tls-rpt-several": Text(
        "there are several TLS-RPT records, so none counts.", "TLS-RPT レコードが複数あり無効です。"
    ),
    "tls-rpt-syntax": Text("the TLS-RPT record names no address.", "TLS-RPT レコードに報告先がありません。"),
    "mend-tls-rpt": Text(
        "set one TXT record at _smtp._tls : v=TLSRPTv1; rua=mailto:{reports}",
        "_smtp._tls の TXT レコードを 1 つだけ設定してください：v=TLSRPTv1; rua=mailto:{reports}",
    ),
    "mta-sts-ok": Text("senders are told that there is a policy.", "暗号化のポリシーを公開しています。"),
    "mta-sts-missing": Text(
        "senders are not asked to insist on encryption.", "送信元に暗号化を求めるポリシーがありません。"
    ),
    "mta-sts-several": Text(
        "there are several MTA-STS records, so none counts.", "MTA-STS レコードが複数あり無効です。"
    ),
    "mta-sts-id": Text("the MTA-STS record has no valid id.", "MTA-STS レコードの id が正しくありません。"),
    "mend-mta-sts": Text(
        "set one TXT record at _mta-sts, with a new id: v=STSv1; id=20260101000000",
        "_mta-sts の TXT レコードを 1 つだけ、新しい id で設定してください：v=STSv1; id=20260101000000",
    ),
    "mta-sts-host-ok": Text("{host} is there to serve the policy.", "ポリシーを公開する {host} があります。"),
    "mta-sts-host-missing": Text(
        "the policy is promised, but {host} does not exist.", "ポリシーの公開先 {host} が存在しません。"
    ),
    "mta-sts-host-later": Text("{host} does not exist yet.", "{host} はまだありません。"),
    "mend-mta-sts-host": Text(
        "publish the policy at https://{host}/.well-known/mta-sts.txt; its text: mxgw admin domain records",
        "https://{host}/.well-known/mta-sts.txt を公開してください。内容の表示は：mxgw admin domain records",
    ),
    "outlook-ok": Text(
        "Outlook on the tailnet finds its settings at {host}.",
        "tailnet 内の Outlook は {host} から設定を取得できます。",
    ),
    "outlook-missing": Text(
        "Outlook does not set itself up: its settings are to be typed in.",
        "Outlook の自動設定用のレコードがありません（設定は手入力になります）。",
    ),
    "outlook-elsewhere": Text(
        "Outlook looks for its settings elsewhere.", "Outlook が別のサーバーに設定を取りに行きます。"
    ),
    "outlook-before": Text(
        "Outlook asks {first} ({found}) first, which does not know its settings.",
        "Outlook は先に {first}（{found}）に問い合わせますが、そこからは設定を取得できません。",
    ),
    "mend-outlook": Text(
        "advice, mail works without: set one SRV record at {name} : {wanted} (priority, weight, port, target)",
        "任意です（なくてもメールは使えます）。{name} の SRV レコードを 1 つだけ設定してください："
        "{wanted}（優先度、重み、ポート、ターゲット）",
    ),
    "mend-outlook-before": Text(
        "advice, mail works without: if nothing else needs it, delete the record of {first}"
        " (often of a provider that the domain has left, or * for all names).",
        "任意です（なくてもメールは使えます）。ほかで使っていなければ {first} のレコードを削除してください"
        "（以前の会社の設定や、全名前を指す * のレコードがよくあります）。",
    ),
    "thunderbird-ok": Text(
        "Thunderbird on the tailnet finds its settings at {address}.",
        "tailnet 内の Thunderbird は {address} から設定を取得できます。",
    ),
    "thunderbird-missing": Text(
        "Thunderbird does not set itself up: its settings are to be typed in.",
        "Thunderbird の自動設定用のレコードがありません（設定は手入力になります）。",
    ),
    "thunderbird-elsewhere": Text(
        "Thunderbird looks for its settings elsewhere, not at {address}.",
        "Thunderbird が {address} ではない場所に設定を取りに行きます。",
    ),
    "mend-thunderbird": Text(
        "advice, mail works without: set one A record at {name} : {address}, proxy OFF (grey cloud).",
        "任意です（なくてもメールは使えます）。{name} の A レコードを {address} だけにし、プロキシはオフ（灰色の雲）に"
        "してください。",
    ),
}
