"""The verdict on a chain is that of dkimpy on the whole message, one octet of it altered at a random place.

Where the two differ, the reason is one of those of DKIM (see test_dkim_differential.py), or one of these:
dkimpy stops with an error at an ARC-Message-Signature without a blank before i=; and content whose first line
is no field has no header at all for the gateway, hence no chain.
"""

from __future__ import annotations

import random
from collections import Counter

import dkim

from mxgw.header import parse_header
from mxgw.msgauth.results import Result
from tests.msgauth.arc_sealer import seal
from tests.msgauth.dkim_judge import KEY_NAME, arc_verdict, zone_with
from tests.msgauth.dkim_signer import key_record, rsa_key
from tests.msgauth.test_dkim_differential import MESSAGE, altered, has_blank_before_colon

ALTERATIONS = 1500
KEY = rsa_key(1024)
RESULTS = {b"pass": Result.PASS, b"none": Result.NONE, b"fail": Result.FAIL, None: Result.FAIL}


def dkimpy_says(message: bytes) -> Result | None:
    """None where dkimpy takes the message for none at all, or breaks."""
    try:
        return RESULTS[dkim.arc_verify(message, dnsfunc=lambda *_, **__: key_record(KEY).encode())[0]]
    except (dkim.MessageFormatError, IndexError):
        return None
    except ValueError:  # what its decoders raise at octets that a base64 value may not have
        return Result.FAIL


async def test_one_octet_of_a_chain_of_three_altered_anywhere() -> None:
    choice = random.Random(8617)
    message = seal(MESSAGE, 1, key=KEY)
    message = seal(message, 2, key=KEY, names="from:subject")
    message = seal(message, 3, key=KEY, names="from:to:date")
    zone = zone_with({KEY_NAME: key_record(KEY)})
    seen: Counter[Result | None] = Counter()
    assert dkimpy_says(message) is Result.PASS

    while seen.total() < ALTERATIONS:
        other = altered(message, choice)
        if other is None:
            continue
        ours, theirs = (await arc_verdict(other, zone)).result, dkimpy_says(other)
        seen[theirs] += 1
        if theirs is None:
            no_blank = b"ARC-Message-Signature:i=" in other
            assert ours is not Result.PASS or no_blank or has_blank_before_colon(other), other
        elif b"\x0b" in other or b"\x0c" in other:
            assert theirs is Result.PASS or ours is not Result.PASS, other
        elif parse_header(other).fields:
            assert ours is theirs, other

    assert seen[Result.PASS] > ALTERATIONS // 20
    assert seen[Result.FAIL] > ALTERATIONS // 2
