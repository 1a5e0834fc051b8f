"""Domains: what was found beyond the findings of ``mxgw admin domain check``, and what to do."""

from __future__ import annotations

from typing import Final

from mxgw.admin.words.text import Text

DOMAIN: Final = {
    "servers-ok": Text(
        "the domain's own servers and the resolvers answer.",
        "ドメイン自身の DNS サーバーもリゾルバーも応答しています。",
    ),
    "servers-unknown": Text(
        "nobody tells which servers {domain} has, so only resolvers were asked.",
        "{domain} の DNS サーバーが分からず、リゾルバーにだけ問い合わせました。",
    ),
    "mend-servers-unknown": Text(
        "check the spelling, that {domain} is paid for, and its name servers at the registrar.",
        "綴り、{domain} の有効期限、登録業者でのネームサーバーの設定を確認してください。",
    ),
    "servers-all-silent": Text("no DNS server answers.", "どの DNS サーバーも応答しません。"),
    "mend-servers-all-silent": Text(
        "see whether this machine reaches the internet, and whether port 53 is open.",
        "このパソコンがインターネットにつながるか、ポート 53 が塞がれていないか確認してください。",
    ),
    "servers-own-silent": Text(
        "the servers of {domain} ({names}) do not answer: mail stops when caches end.",
        "{domain} の DNS サーバー（{names}）が応答しません。キャッシュが切れるとメールが止まります。",
    ),
    "servers-some-silent": Text(
        "some servers do not answer: {names}.", "応答しない DNS サーバーがあります：{names}"
    ),
    "mend-servers-own": Text(
        "see the status of your DNS provider (Cloudflare), and that the registrar names the servers of {domain} right.",
        "DNS 事業者（Cloudflare）の障害情報と、登録業者での {domain} のネームサーバー設定を確認してください。",
    ),
    "resolvers-silent": Text(
        "a resolver does not answer from here: {names}.", "ここからは応答しないリゾルバーがあります：{names}"
    ),
    "mend-resolvers": Text(
        "this is about this network, not about the domain; name others: --dns 9.9.9.9",
        "ドメインではなく、この回線の問題です。別のリゾルバーを指定できます：--dns 9.9.9.9",
    ),
    "spreading": Text(
        "right at the source, still spreading: {who} has another answer for {name}.",
        "設定は正しく、反映待ちです。{who} はまだ別の内容を返しています（{name}）。",
    ),
    "mend-spreading": Text(
        "nothing but wait: caches forget within the record's TTL, mostly within an hour.",
        "そのままお待ちください。キャッシュは TTL（通常 1 時間以内）で入れ替わります。",
    ),
    "mend-spreading-minutes": Text(
        "nothing but wait: what was before is forgotten in {minutes} minutes at the latest.",
        "そのままお待ちください。古い内容は遅くとも {minutes} 分後に消えます。",
    ),
    "spf-sender-ok": Text(
        "{outbound} may send, others may not; {lookups} of 10 look-ups are used.",
        "{outbound} からの送信を許可しています（DNS 参照は 10 回中 {lookups} 回）。",
    ),
    "spf-without-sender": Text(
        "the SPF record does not let {outbound} send: its mail is taken for spam.",
        "SPF レコードが {outbound} からの送信を許可していません。送信メールが迷惑メール扱いされます。",
    ),
    "mend-spf-sender": Text(
        "put {term} into it, before its ...all.", "末尾の all の前に {term} を入れてください。"
    ),
    "mend-spf-write": Text(
        "leave one TXT record at @ that begins with v=spf1 and has {term}, for example: v=spf1 {term} ~all",
        "@ の SPF（v=spf1 で始まる TXT）を 1 つだけにしてください。例：v=spf1 {term} ~all",
    ),
    "spf-too-many": Text(
        "the SPF record costs {lookups} look-ups; beyond {most} it does not count.",
        "SPF の DNS 参照が {lookups} 回あります。{most} 回を超えると無効です。",
    ),
    "mend-spf-too-many": Text(
        "take out the include of every service that no longer sends for you.",
        "もう使っていないサービスの include を削除してください。",
    ),
    "spf-broken-include": Text(
        "the SPF record leads to {broken}, which has no valid record ({why}), so that all of it does not count.",
        "SPF が参照する {broken} に有効なレコードがなく（{why}）、全体が無効になります。",
    ),
    "mend-spf-broken-include": Text(
        "correct or take out include:{broken}.", "include:{broken} を修正するか削除してください。"
    ),
    "spf-unanswered": Text(
        "the SPF record leads to {unanswered}, for which DNS did not answer.",
        "SPF が参照する {unanswered} について DNS の応答がありません。",
    ),
    "dkim-sender-ok": Text("the key {selector} is found.", "DKIM の鍵 {selector} が見つかりました。"),
    "mend-dkim-sender": Text(
        "publish at {name} the record that your sender shows for this selector, one only.",
        "送信サービスに表示されるレコードを {name} に 1 つだけ設定してください。",
    ),
    "dkim-unusable": Text(
        "the DKIM key at {name} cannot be used: {why}.", "{name} の DKIM の鍵が使えません（{why}）。"
    ),
}
