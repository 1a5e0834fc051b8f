"""What went wrong at AWS, in words that say what to do: the exceptions of botocore, translated once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mxgw.config import Parameter, Reference

MAX_MESSAGE_CHARACTERS = 200
"""Of what AWS says about an error that we do not know."""

_THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
)
_BAD_CREDENTIALS = frozenset(
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
# 403: an answer without a code of AWS, from something in between.
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "NotAuthorized"})
_BY_CODE: Mapping[str, str] = MappingProxyType(
    {
        "ParameterNotFound": "there is no such parameter in {region}; "
        "make it: aws ssm put-parameter --type String --name NAME --value example.jp",
        # Also of a secret that was made and never given a value.
        "ResourceNotFoundException": "there is no such secret in {region}, or it has no value yet; "
        "give it one: aws secretsmanager put-secret-value --secret-id NAME --secret-string file://FILE",
        "InvalidRequestException": "the secret in {region} is marked for deletion; "
        "keep it: aws secretsmanager restore-secret --secret-id NAME",
        "DecryptionFailure": "it cannot be decrypted in {region}; allow kms:Decrypt on its key",
        "InvalidKeyId": "it cannot be decrypted in {region}; allow kms:Decrypt on its key",
    }
)

NOT_INSTALLED = "boto3 is not installed; install it: pip install 'mxgw[aws]'"
NO_REGION = "no AWS region is known; set AWS_REGION, for example AWS_REGION=ap-northeast-1"


def permission(reference: Reference) -> str:
    """The permission that reading it needs."""
    return "ssm:GetParameter" if isinstance(reference, Parameter) else "secretsmanager:GetSecretValue"


def refusal(error: Exception, reference: Reference, region: str) -> str:
    """Why it could not be read, and what to do. Holds nothing of any value."""
    # Imported here: whoever has an exception of botocore has loaded it.
    from botocore import exceptions  # type: ignore[import-untyped]

    match error:
        case exceptions.ClientError():
            return _said_by_aws(error.response.get("Error", {}), reference, region)
        case exceptions.NoCredentialsError():
            return (
                f"no AWS credentials for {region}; in a task, give it a task role that allows "
                f"{permission(reference)}; elsewhere set AWS_PROFILE"
            )
        case exceptions.PartialCredentialsError() | exceptions.CredentialRetrievalError():
            return f"the AWS credentials for {region} cannot be had: {_short(error)}"
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            service = "Systems Manager" if isinstance(reference, Parameter) else "Secrets Manager"
            return (
                f"{service} in {region} does not answer; is the region right, and may the task "
                "connect to port 443 outside?"
            )
        case _:
            return f"{region}: {_short(error)}"


def _said_by_aws(said: Mapping[str, str], reference: Reference, region: str) -> str:
    code = said.get("Code", "")
    if code in _DENIED:
        return f"AWS denies access in {region}; allow {permission(reference)} on it in the task role"
    if code in _THROTTLED:
        return f"AWS answers {code} in {region}: too many requests; try again in a minute"
    if code in _BAD_CREDENTIALS:
        return f"AWS does not accept the credentials in {region}: {code}; renew them"
    if code in _BY_CODE:
        return _BY_CODE[code].format(region=region)
    return f"AWS answers {code} in {region}: {_short(said.get('Message', ''))}"


def _short(words: object) -> str:
    text = str(words)[:MAX_MESSAGE_CHARACTERS]
    return "".join(letter if letter.isprintable() else " " for letter in text)
