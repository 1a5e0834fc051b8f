"""What went wrong at AWS while deploying: exceptions of botocore as texts that say what to do."""

from __future__ import annotations

import re

from mxgw.admin.refusal import Refused

MAX_MESSAGE_CHARACTERS = 400
"""Of what AWS says about an error that we do not know."""

_DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"}
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_BAD = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_ACTION = re.compile(r"perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)")


class AwsRefused(Refused):
    """AWS did not do it. ``code`` and ``said`` are its own words."""

    def __init__(self, key: str, *, code: str = "", said: str = "", **facts: str | int) -> None:
        super().__init__(key, failure=True, code=code or "-", **facts)
        self.code = code
        self.said = said


def refused_by_aws(error: Exception, *, region: str, action: str) -> AwsRefused:
    """``action`` is what was asked for, as a permission: ``cloudformation:CreateChangeSet``."""
    # Imported here: whoever has an exception of botocore has loaded it.
    from botocore import exceptions  # type: ignore[import-untyped]
    from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

    match error:
        case exceptions.ClientError():
            said = error.response.get("Error", {})
            return _answered(str(said.get("Code", "")), str(said.get("Message", "")), region, action)
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return AwsRefused("aws-no-credentials")
        case exceptions.ProfileNotFound():
            return AwsRefused("aws-no-profile", profile=str(error.kwargs.get("profile", "")))
        case (
            exceptions.UnauthorizedSSOTokenError() | exceptions.SSOError() | exceptions.TokenRetrievalError()
        ):
            return AwsRefused("aws-sso-expired")
        case exceptions.CredentialRetrievalError():
            return AwsRefused("aws-credentials-away", why=_short(str(error)))
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | ResponseParserError():
            # The last: a page of a proxy or of a hotel in the place of an answer.
            return AwsRefused("aws-away", region=region, action=action)
        case _:
            return AwsRefused("aws-said", code=type(error).__name__, action=action, why=_short(str(error)))


def _answered(code: str, message: str, region: str, action: str) -> AwsRefused:
    if code in _DENIED:
        named = _ACTION.search(message)
        return AwsRefused("aws-denied", code=code, said=message, action=named[1] if named else action)
    if code in _EXPIRED:
        return AwsRefused("aws-expired", code=code)
    if code in _BAD:
        return AwsRefused("aws-bad-credentials", code=code, region=region)
    if code in _THROTTLED:
        return AwsRefused("aws-throttled", code=code, action=action)
    if code == "OptInRequired":
        return AwsRefused("aws-region-off", code=code, region=region)
    return AwsRefused("aws-said", code=code, said=message, action=action, why=_short(message))


def _short(text: str) -> str:
    return " ".join(text.split())[:MAX_MESSAGE_CHARACTERS]
