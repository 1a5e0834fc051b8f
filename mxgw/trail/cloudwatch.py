"""Reads the log of the edge out of CloudWatch Logs. The only module here that asks botocore for something."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mxgw.loglines import LogCounts, events_in
from mxgw.trail.moments import ALWAYS, Window
from mxgw.trail.search import Logged

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 30.0
"""A page may take CloudWatch several seconds where it has to look through much."""
ATTEMPTS: Final = 3

MAX_PAGES: Final = 1_000
"""Answers that are read for one look through a group; each has up to 10,000 lines or 1 MB. At five a second,
which is what AWS allows, this takes some minutes."""

MAX_PATTERN: Final = 1_024
"""Characters that AWS takes as a filter pattern."""

LATE_SECONDS: Final = 300.0
"""A line may reach CloudWatch that much later than the event that it tells of."""

EVERYTHING: Final = '"transaction"'

_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized"})
_BAD_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BY_CODE: Final = {
    "ResourceNotFoundException": "aws-no-group",
    "InvalidParameterException": "aws-bad-group",
    "ThrottlingException": "aws-throttled",
    "LimitExceededException": "aws-throttled",
    "ServiceUnavailableException": "aws-throttled",
}

MAX_MESSAGE: Final = 200
"""Characters of what AWS says about an error that we do not know."""


class CloudWatchRefused(Exception):
    """Why the group cannot be read: a key of the catalogue and the facts in its text."""

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


class CloudWatch:
    """One log group. Region and credentials are those that the AWS SDKs find."""

    any_case = False

    def __init__(self, group: str, window: Window, *, environ: Mapping[str, str] = os.environ) -> None:
        self._group = group
        self._window = window
        self._environ = environ
        self._client: Any = None
        self._region = ""
        self.cut = False
        """There was more than MAX_PAGES."""

    def events(self, terms: tuple[str, ...], counts: LogCounts) -> Iterator[Logged]:
        """See Source. Raises CloudWatchRefused."""
        for pattern in patterns(terms):
            for line in self._lines(pattern):
                stream = str(line.get("logStreamName", self._group))
                for place, fields in events_in(
                    str(line.get("message", "")), stream, counts, event="transaction"
                ):
                    yield Logged(stream, place, fields)

    def _lines(self, pattern: str) -> Iterator[Mapping[str, object]]:
        token: str | None = None
        for _ in range(MAX_PAGES):
            page = self._page(pattern, token)
            yield from page.get("events", ())
            token, before = page.get("nextToken"), token
            if not token or token == before:
                return
        self.cut = True

    def _page(self, pattern: str, token: str | None) -> Mapping[str, Any]:
        try:
            import botocore.exceptions as failures  # type: ignore[import-untyped]
        except ModuleNotFoundError:
            raise CloudWatchRefused("aws-not-installed") from None
        asked: dict[str, Any] = {
            "logGroupName": self._group,
            "startTime": max(0, int((self._window.since - LATE_SECONDS) * 1000)),
            "filterPattern": pattern,
        }
        if self._window.until < ALWAYS.until:
            asked["endTime"] = int((self._window.until + LATE_SECONDS) * 1000)
        if token:
            asked["nextToken"] = token
        try:
            page: Mapping[str, Any] = self._opened().filter_log_events(**asked)
        except (failures.BotoCoreError, failures.ClientError, OSError) as error:
            raise self._refused(error) from None
        return page

    def _opened(self) -> Any:
        if self._client is None:
            import botocore.session  # type: ignore[import-untyped]
            from botocore.config import Config  # type: ignore[import-untyped]

            session = botocore.session.get_session()
            region = self._environ.get("AWS_REGION") or session.get_config_variable("region")
            if not region:
                raise CloudWatchRefused("aws-no-region")
            self._region = str(region)
            limits = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            )
            self._client = session.create_client("logs", region_name=self._region, config=limits)
        return self._client

    def _refused(self, error: Exception) -> CloudWatchRefused:
        from botocore import exceptions

        facts = {"group": self._group, "region": self._region}
        match error:
            case exceptions.ClientError():
                said = error.response.get("Error", {})
                code = str(said.get("Code", ""))
                if code in _DENIED:
                    return CloudWatchRefused("aws-denied", **facts)
                if code in _BAD_CREDENTIALS:
                    return CloudWatchRefused("aws-bad-credentials", code=code, **facts)
                message = str(said.get("Message", ""))[:MAX_MESSAGE]
                return CloudWatchRefused(_BY_CODE.get(code, "aws-says"), said=f"{code}: {message}", **facts)
            case exceptions.NoCredentialsError():
                return CloudWatchRefused("aws-no-credentials", **facts)
            case exceptions.HTTPClientError() | exceptions.ConnectionError():
                return CloudWatchRefused("aws-no-answer", **facts)
            case _:
                return CloudWatchRefused("aws-says", said=str(error)[:MAX_MESSAGE], **facts)


def patterns(terms: Sequence[str]) -> list[str]:
    """Filter patterns of which one at least finds each line with one of these texts; capitals count.

    Terms with "?" before them are alternatives. Every text is quoted, and none holds a quote itself.
    """
    if not terms:
        return [EVERYTHING]
    if len(terms) == 1:
        return [f'"{terms[0]}"']
    found: list[str] = []
    for term in terms:
        piece = f'?"{term}"'
        if found and len(found[-1]) + 1 + len(piece) <= MAX_PATTERN:
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    # A pattern of one alternative is no alternative.
    return [one if ' ?"' in one else one.removeprefix("?") for one in found]
