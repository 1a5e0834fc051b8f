"""What ``mxgw verify`` says, in Japanese: for each sentence of its own the Japanese one.

Words of the RFCs (pass, permerror), domains and the steps of each check stay as they are: they are what an
administrator looks up.
"""

# ruff: noqa: RUF001 - signs of Japanese

from __future__ import annotations

import re
from typing import Final

SENTENCES: Final = {
    # -- labels
    "client": "接続元",
    "Subject": "件名",
    "DNS questions": "DNS の問い合わせ",
    "(none)": "（なし）",
    "check": "検査",
    "result": "結果",
    "about": "対象",
    "why": "理由",
    "not checked": "対象外",
    # -- what the edge would do
    "deliver": "受信トレイ（deliver）",
    "junk": "迷惑メール（junk）",
    "reject": "受け取りを拒否（reject）",
    "defer": "あとで再送してもらう（defer）",
    # -- why
    "nothing speaks against it": "問題は見つかりません",
    "neither SPF nor DKIM stands for the author's domain": (
        "From のドメインが SPF でも DKIM でも証明されていません"
    ),
    "DNS did not answer what DMARC needs to know": "DMARC の検査に必要なことを DNS が答えません",
    "DNS did not answer whether the ARC seals hold": "ARC の署名の確認に必要なことを DNS が答えません",
    "From names nobody, or not clearly": "From から差出人がわかりません",
    "DMARC fails, and a trusted sealer says that it passed before": (
        "DMARC は失敗ですが、信用する転送元が以前の合格を証明しています"
    ),
    "a DNS list names the client": "接続元が DNS リストに載っています",
    "the domain of the sender's address takes no mail itself (null MX)": (
        "差出人のドメインはメールを受け取らないと宣言しています（null MX）"
    ),
    # -- checks
    "the client's address is of a private network": "接続元がプライベートネットワークのアドレスです",
    "no signature": "署名がありません",
    "nobody sealed it": "ARC の署名がありません",
    "the address has this name, and the name this address": "アドレスと名前が一致しています",
    "no name of the address has this address": "名前からアドレスに戻れません",
    "the address has no name": "アドレスに名前（逆引き）がありません",
    "DNS did not answer": "DNS が答えません",
    "the domain says that it takes no mail": "メールを受け取らないと宣言しています",
    # -- mistakes
    "the file is larger than any message that the gateway takes (1 GiB)": (
        "ゲートウェイが受け取れる大きさ（1 GiB）を超えるファイルです。"
    ),
    "this is no message: it does not begin with a header field": (
        "メールのファイルではありません（先頭がヘッダーではありません）。"
        "メールを .eml 形式で保存してください。"
    ),
    "no Received field says which address the message came from; give --ip": (
        "接続元のアドレスがわかる Received がありません。--ip で指定してください。"
    ),
    "no Return-Path says who sent the message; give --mail-from ('' for <>)": (
        "Return-Path がありません。差出人アドレスを --mail-from で指定してください（<> なら ''）。"
    ),
}

_PATTERNS: Final = tuple(
    (re.compile(pattern), japanese)
    for pattern, japanese in (
        (r"(?P<domain>\S+) asks for p=(?P<policy>\S+)", r"\g<domain> の方針は p=\g<policy>"),
        (r"the domain above asks for p=(?P<policy>\S+)", r"上位ドメインの方針は p=\g<policy>"),
        (r"matched (?P<term>.+)", r"\g<term> に一致"),
        (r"sealed by (?P<names>.+)", r"署名：\g<names>"),
        (r"it says (?P<codes>.+)", r"応答：\g<codes>"),
        (r"no answer from DNS: (?P<question>.+)", r"DNS の応答なし：\g<question>"),
        (r"no answer: (?P<question>.+)", r"応答なし：\g<question>"),
        (
            r"(?P<given>.+) is no reverse-path; give --mail-from, for example a@example\.org",
            (
                r"\g<given> は差出人アドレスの形式ではありません。"
                r"--mail-from a@example.org のように指定してください。"
            ),
        ),
    )
)


def said(text: str) -> str:
    """In Japanese where it is a sentence of ours; else as it is."""
    if text in SENTENCES:
        return SENTENCES[text]
    first, separator, rest = text.partition("; ")
    if separator and first in SENTENCES:
        return f"{SENTENCES[first]}。{said(rest)}"
    for pattern, japanese in _PATTERNS:
        if match := pattern.fullmatch(text):
            return match.expand(japanese)
    return text
