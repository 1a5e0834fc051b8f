"""An account at AWS, as far as it is the administrator's: what botocore raises becomes a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mxgw.admin.cloud.settings import AwsAccess
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
ATTEMPTS = 3

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "403"})
_BAD_CREDENTIALS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId"),
        *("InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)
_MISSING = frozenset({"ParameterNotFound", "ResourceNotFoundException"})


class AwsAccount:
    """Clients of one region. Raises Refused where boto3 is not installed."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access

    def client(self, service: str) -> Any:
        """A client of botocore's."""
        try:
            import botocore.session  # type: ignore[import-untyped]
            from botocore import exceptions
            from botocore.config import Config  # type: ignore[import-untyped]
        except ModuleNotFoundError:
            raise Refused("aws-not-installed", failure=True) from None
        access = self._access
        if bool(access.key_id) != bool(access.secret_key):
            raise Refused("aws-no-credentials", failure=True)
        session = botocore.session.get_session()
        if access.key_id:
            session.set_credentials(access.key_id, access.secret_key)
        limits = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )
        try:
            return session.create_client(service, region_name=access.region, config=limits)
        except (exceptions.BotoCoreError, ValueError) as error:
            why = shown(str(error))
            raise Refused("aws-refuses", failure=True, region=shown(access.region), why=why) from None

    @contextmanager
    def told(self, name: str, permissions: str) -> Iterator[None]:
        """What goes wrong with the thing of this name is said with what to do. Repeats no value."""
        from botocore import exceptions

        region = self._access.region
        try:
            yield
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
            raise Refused("aws-no-credentials", failure=True) from None
        except exceptions.ClientError as error:
            said = error.response.get("Error", {})
            raise _refused(said, name, region, permissions) from None
        except (exceptions.HTTPClientError, exceptions.ConnectionError, OSError):
            raise Refused("aws-unreachable", failure=True, region=region) from None
        except exceptions.BotoCoreError as error:
            raise Refused("aws-refuses", failure=True, region=region, why=shown(str(error))) from None


def _refused(said: dict[str, str], name: str, region: str, permissions: str) -> Refused:
    code = said.get("Code", "")
    if code in _DENIED:
        return Refused("aws-denied", failure=True, name=name, region=region, permissions=permissions)
    if code in _BAD_CREDENTIALS:
        return Refused("aws-bad-credentials", failure=True, why=code)
    if code in _MISSING:
        return Refused("aws-missing", failure=True, name=name, region=region)
    return Refused(
        "aws-refuses", failure=True, region=region, why=shown(f"{code}: {said.get('Message', '')}")
    )
