"""The page of all reply codes, in both languages.

Written by ``python -m mxgw.doctor.reply_codes > docs/reply-codes.md``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mxgw.doctor.words.codes import CODES, PAGE_HEAD, PAGE_SECTION

_CODE: Final = re.compile(r"(?:^|[\s#])[mM]([0-9]{2})\s*$")


def code_in(text: str) -> str | None:
    """The code of ``M34``, ``#m34``, or of a whole reply that ends with it; None where there is none. A
    Japanese keyboard may write it with letters of full width."""
    match = _CODE.search(unicodedata.normalize("NFKC", text).strip())
    return f"M{match[1]}" if match else None


def page() -> str:
    """Markdown: a section for each code, English then Japanese."""
    sections = (
        PAGE_SECTION.format(code=code, what=one.what, sender=one.sender, admin=one.admin)
        for code, one in CODES.items()
    )
    return PAGE_HEAD + "".join(sections)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - the page is what this prints
