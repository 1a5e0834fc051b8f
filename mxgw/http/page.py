"""The status page as octets, and the policy that lets exactly its own style and script run."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

_BLOCK = re.compile(rb"<(style|script)>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """What ``GET /`` answers."""

    body: bytes
    policy: str


def load_page() -> Page:
    """Read the page from the package."""
    body = files("mxgw.http").joinpath("page.html").read_bytes()
    hashes = {match[1].decode(): _source(match[2]) for match in _BLOCK.finditer(body)}
    policy = (
        "default-src 'none'"
        f"; script-src {hashes['script']}; style-src {hashes['style']}"
        # The icon in the tab is drawn by the script.
        "; connect-src 'self'; img-src data:"
        "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(body, policy)


def _source(text: bytes) -> str:
    # CSP Level 3 section 6.7.3.3: the digest of the text between the tags, octet by octet.
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
