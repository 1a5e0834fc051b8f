"""Why something was not done, as a text of the catalogue that says what to do instead."""

from __future__ import annotations


class Refused(Exception):
    """What was asked for is not done. ``key`` names a text in ``mxgw.admin.words``, ``facts`` fill it.

    ``failure`` tells whether the request was fine and something broke, or the request itself was the mistake.
    """

    def __init__(self, key: str, *, failure: bool = False, **facts: str | int) -> None:
        super().__init__(key)
        self.key = key
        self.failure = failure
        self.facts = facts
