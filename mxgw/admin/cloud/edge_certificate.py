"""The certificate of the MX name, in Secrets Manager, where the edge looks every hour."""

from __future__ import annotations

import json
from typing import Any

from mxgw.admin.cloud.aws import AwsAccount
from mxgw.admin.cloud.certificates import Facts, Pair, facts
from mxgw.admin.refusal import Refused

_NO_VALUE = "staging label"
PERMISSIONS = "secretsmanager:GetSecretValue, secretsmanager:PutSecretValue"


class EdgeCertificate:
    """One secret, {"certificate": PEM, "key": PEM}. Raises Refused."""

    def __init__(self, account: AwsAccount, secret: str) -> None:
        self._account = account
        self._secret = secret

    def facts(self) -> Facts | None:
        """Of the one that is there; None where there is none, or none that can be read."""
        client = self._account.client("secretsmanager")
        with self._account.told(self._secret, PERMISSIONS):
            try:
                answer: Any = client.get_secret_value(SecretId=self._secret)
            except client.exceptions.ResourceNotFoundException as error:
                # One exception for a secret that is not there, and for one that has no value yet.
                if _NO_VALUE not in error.response.get("Error", {}).get("Message", ""):
                    raise
                return None
        try:
            told = json.loads(answer.get("SecretString", ""))
            return facts(str(told["certificate"]))
        except (ValueError, KeyError, TypeError, Refused):
            return None

    def put(self, pair: Pair) -> None:
        """From now on it is this."""
        client = self._account.client("secretsmanager")
        text = json.dumps({"certificate": pair.certificate, "key": pair.key})
        with self._account.told(self._secret, PERMISSIONS):
            client.put_secret_value(SecretId=self._secret, SecretString=text)
