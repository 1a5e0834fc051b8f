"""``python -m bench.auth_bench``: what authentication costs beside dkimpy and pyspf on the whole message.

All figures are CPU time of one run on one machine, DNS answers from memory on both sides. The small message
has an SPF record of four terms and one rsa-2048 signature, best of a few rounds. Long bodies are hashed in
chunks of 64 KiB here, and by dkimpy in one piece. Hostile headers show that nothing grows faster than the
message.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import dkim
import spf  # type: ignore[import-untyped]  # it ships no types
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import Relaxed, Simple

from mxgw.header import parse_header
from mxgw.msgauth.arc import verify_chain
from mxgw.msgauth.bodyhash import BodyForm, BodyHashes, Canonicalisation
from mxgw.msgauth.dkim import DkimPlan, verify
from mxgw.msgauth.dkim_keys import KeyRing
from mxgw.msgauth.results import Result
from mxgw.msgauth.spf import check_spf
from mxgw.resolver.answers import Answer, Lookup, MailExchanger, Status

CHUNK_OCTETS = 64 * 1024
LONG_OCTETS = 25 * 1000 * 1000
ROUNDS = 7
MESSAGES = 200
CLIENT = "192.0.2.33"
SENDER = "joe@example.com"
HELO = "mail.example.com"

_KEY = generate_private_key(65_537, 2048)
_PRIVATE = _KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
_PUBLIC = _KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
TXT = {
    "sel._domainkey.example.com": f"v=DKIM1; k=rsa; p={base64.b64encode(_PUBLIC).decode()}",
    "example.com": "v=spf1 ip4:198.51.100.0/24 a:www.example.com include:_spf.example.com mx -all",
    "_spf.example.com": "v=spf1 ip4:203.0.113.0/24 ip4:192.0.2.0/28 ~all",
}
A = {"www.example.com": "192.0.2.1", "mx.example.com": CLIENT}
MX = {"example.com": (10, "mx.example.com")}


class Memory:
    """A Lookup that knows."""

    async def txt(self, name: str) -> Answer[bytes]:
        found = TXT.get(name.lower())
        return Answer(Status.FOUND, (found.encode(),)) if found else Answer(Status.NO_NAME)

    async def a(self, name: str) -> Answer[IPv4Address]:
        found = A.get(name.lower())
        return Answer(Status.FOUND, (IPv4Address(found),)) if found else Answer(Status.NO_NAME)

    async def mx(self, name: str) -> Answer[MailExchanger]:
        found = MX.get(name.lower())
        return Answer(Status.FOUND, (MailExchanger(*found),)) if found else Answer(Status.NO_NAME)

    async def aaaa(self, _name: str) -> Answer[object]:
        return Answer(Status.NO_NAME)

    async def ptr(self, _address: object) -> Answer[str]:
        return Answer(Status.NO_NAME)


LOOKUP: Lookup = Memory()  # type: ignore[assignment]


def pyspf_lookup(name: str, kind: str, *_: object) -> list[tuple[tuple[str, str], object]]:
    name = name.lower()
    found: object = None
    if kind == "TXT" and name in TXT:
        found = (TXT[name].encode(),)
    elif kind == "A" and name in A:
        found = A[name]
    elif kind == "MX" and name in MX:
        found = MX[name]
    return [((name, kind), found)] if found else []


def cpu_seconds(work: Callable[[], object], *, times: int = 1, rounds: int = ROUNDS) -> float:
    """CPU time of one call, best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - start) / times)
    return best


def signed_message(octets: int) -> bytes:
    body = base64.encodebytes(random.Random(1).randbytes(octets * 73 // 100)).replace(b"\n", b"\r\n")
    header = (
        b"Received: from a.example.com by b.example.com with ESMTPS;\r\n\tFri, 11 Jul 2003 21:01 -0700\r\n"
        b"From: Joe SixPack <joe@example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\n"
        b"Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        b"Message-ID: <20030712040037.46341.5F8J@example.com>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
    )
    message = header + b"\r\n" + body
    field: bytes = dkim.sign(message, b"sel", b"example.com", _PRIVATE, canonicalize=(b"relaxed", b"relaxed"))
    return field + message


async def our_dkim(message: bytes) -> bool:
    header = parse_header(message)
    plan = DkimPlan.of(header, prefer_domains=("example.com",))
    keys = KeyRing(LOOKUP)
    await keys.fetch(plan.key_names)
    hashes = plan.body_hashes()
    for begin in range(header.octets, len(message), CHUNK_OCTETS):
        hashes.feed(message[begin : begin + CHUNK_OCTETS])
    bodies, now = hashes.finish(), datetime.now(UTC)
    verdicts = await verify(plan, bodies, keys, now)
    await verify_chain(plan.chain, header, bodies, keys, now)
    return verdicts[0].result is Result.PASS


async def our_spf() -> bool:
    found = await check_spf(LOOKUP, address=IPv4Address(CLIENT), helo=HELO, mail_from=SENDER)
    return found.result is Result.PASS


def small_message() -> None:
    message = signed_message(10_000)
    loop = asyncio.new_event_loop()

    async def ours(*, with_spf: bool, with_dkim: bool) -> None:
        for _ in range(MESSAGES):
            if with_spf and not await our_spf():
                raise SystemExit("our SPF does not pass")
            if with_dkim and not await our_dkim(message):
                raise SystemExit("our DKIM does not pass")

    def theirs_dkim() -> None:
        if not dkim.verify(message, dnsfunc=lambda name, timeout=5: TXT[name.decode()[:-1]].encode()):
            raise SystemExit("dkimpy does not pass")

    def theirs_spf() -> None:
        if spf.query(i=CLIENT, s=SENDER, h=HELO).check()[0] != "pass":
            raise SystemExit("pyspf does not pass")

    def measure(*, with_spf: bool, with_dkim: bool) -> tuple[float, float]:
        def peers() -> None:
            if with_spf:
                theirs_spf()
            if with_dkim:
                theirs_dkim()

        mine = cpu_seconds(lambda: loop.run_until_complete(ours(with_spf=with_spf, with_dkim=with_dkim)))
        return mine / MESSAGES, cpu_seconds(peers, times=MESSAGES)

    print(f"One message of {len(message)} octets, warm DNS, CPU time")
    for name, with_spf, with_dkim in (("SPF", True, False), ("DKIM", False, True), ("both", True, True)):
        mine, peers = measure(with_spf=with_spf, with_dkim=with_dkim)
        print(
            f"  {name:5} ours {mine * 1e6:6.0f} us, pyspf + dkimpy {peers * 1e6:6.0f} us: {mine / peers:.2f}"
        )
    loop.close()


SHAPES = {
    "base64": base64.b64encode(random.Random(1).randbytes(57)) + b"\r\n",
    "text": b"The quick brown  fox jumps over  the lazy dog, and so on. \r\n",
}


def long_bodies() -> None:
    print(f"Body hash of {LONG_OCTETS // 10**6} MB, MB per second of CPU time")
    for shape, line in SHAPES.items():
        body = line * (LONG_OCTETS // len(line))
        for kind, policy in ((Canonicalisation.SIMPLE, Simple), (Canonicalisation.RELAXED, Relaxed)):
            mine = cpu_seconds(lambda body=body, kind=kind: hash_in_chunks(body, kind), rounds=3)  # type: ignore[misc]

            def whole(body: bytes = body, policy: Any = policy) -> bytes:
                # What dkimpy does with a body: its lines are put together anew, then canonicalised.
                _, found = dkim.rfc822_parse(b"\r\n" + body)
                return sha256(policy.canonicalize_body(found)).digest()

            peers = cpu_seconds(whole, rounds=1)
            ours, theirs = (len(body) / seconds / 1e6 for seconds in (mine, peers))
            print(f"  {shape:7} {kind:8} ours {ours:5.0f}, dkimpy {theirs:4.0f}: {ours / theirs:.1f} times")


def hash_in_chunks(body: bytes, kind: Canonicalisation) -> bytes:
    form = BodyForm(kind)
    hashes = BodyHashes([form])
    for begin in range(0, len(body), CHUNK_OCTETS):
        hashes.feed(body[begin : begin + CHUNK_OCTETS])
    return hashes.finish()[form].digest


def memory() -> None:
    """In a process of its own, with a body that is made chunk by chunk."""
    for shape in SHAPES:
        code = f"from bench.auth_bench import peak_growth; peak_growth({shape!r})"
        subprocess.run([sys.executable, "-c", code], check=True)


def peak_growth(shape: str) -> None:
    line = SHAPES[shape]
    chunk = line * (CHUNK_OCTETS // len(line))
    hashes = BodyHashes([BodyForm(kind) for kind in Canonicalisation])
    hashes.feed(b"x")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = peak_kib()
    for _ in range(LONG_OCTETS // len(chunk)):
        hashes.feed(chunk)
    hashes.finish()
    print(f"Peak memory growth over 25 MB of {shape}, both forms: {(peak_kib() - before) / 1024:.1f} MB")


def peak_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def hostile() -> None:
    signature = signed_message(100).partition(b"\r\nReceived")[0] + b"\r\n"
    rest = signed_message(100)
    tags = b"; s=sel; d=example.com; v=1; a=rsa-sha256; bh=" + b"A" * 43 + b"=; c=relaxed/relaxed; h=from"
    arc = b"".join(
        b"ARC-Seal: i=%d; cv=pass; b=AAAA%b\r\nARC-Message-Signature: i=%d; b=AAAA%b\r\n"
        b"ARC-Authentication-Results: i=%d; x\r\n" % (i, tags, i, tags, i)
        for i in range(1, 51)
    ).replace(b"i=1; cv=pass", b"i=1; cv=none")
    arc = arc.replace(b"; h=from\r\nARC-M", b"\r\nARC-M")
    many = b"".join(b"X%d: %b\r\n" % (number % 128, b"a \t" * 80) for number in range(990))
    names = b":".join(b"X%d" % number for number in range(127))
    all_signed = signature.replace(b"h=from", b"h=from:" + names)
    shapes = {
        "1,000 signatures": signature * 1000 + rest,
        "1,000 broken signatures": b"DKIM-Signature: v=1; b=;;\r\n" * 1000 + rest,
        "1,000 signatures of 8 KB": (b"DKIM-Signature:" + b" a=" * 2700 + b"\r\n") * 1000 + rest,
        "b= with 50,000 blanks": signature.replace(b"b=", b"b=" + b" " * 50_000) + rest,
        "b= with 2,500 folds": signature.replace(b" b=", b" b=" + b"\r\n " * 2500) + rest,
        "8 signatures over 250 KB of fields": all_signed * 8 + many + rest,
        "50 ARC sets": arc + rest,
        "50 ARC sets over 250 KB of results": arc.replace(b"; x\r\n", b"; " + b"x \t" * 1600 + b"\r\n")
        + rest,
        "10,000 Received fields": b"Received: from a by b; Fri, 11 Jul 2003 21:01:54 -0700\r\n" * 10_000
        + rest,
        "1 MB in one field": b"X: " + b"a \t" * 350_000 + b"\r\n" + rest,
    }
    loop = asyncio.new_event_loop()
    print("Hostile header blocks: whole cost, and the longest time between two turns of the event loop")
    for name, message in shapes.items():
        start = time.process_time()
        longest = loop.run_until_complete(longest_turn(message))
        print(f"  {name:36} {(time.process_time() - start) * 1e3:6.1f} ms, {longest * 1e3:6.1f} ms")
    loop.close()


async def longest_turn(message: bytes) -> float:
    longest, last = 0.0, time.perf_counter()

    async def watch() -> None:
        nonlocal longest, last
        while True:
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            await asyncio.sleep(0)

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0)
    header = parse_header(message)
    await asyncio.sleep(0)
    plan = DkimPlan.of(header)
    await asyncio.sleep(0)
    keys = KeyRing(LOOKUP)
    bodies = plan.body_hashes().finish()
    await verify(plan, bodies, keys, datetime.now(UTC))
    await verify_chain(plan.chain, header, bodies, keys, datetime.now(UTC))
    await asyncio.sleep(0)
    watcher.cancel()
    return longest


def main() -> None:
    spf.DNSLookup = pyspf_lookup
    small_message()
    long_bodies()
    memory()
    hostile()


if __name__ == "__main__":
    main()
