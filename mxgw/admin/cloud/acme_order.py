"""A certificate by ACME (RFC 8555) with the DNS challenge: the account, the order, the chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mxgw.admin.cloud.certificates import Pair
from mxgw.admin.cloud.private_file import write_file
from mxgw.admin.forms import shown
from mxgw.admin.refusal import Refused

ORDER_SECONDS = 180
"""Let's Encrypt takes seconds once the challenge is in DNS; longer means that something is wrong there."""

REQUEST_SECONDS = 30

MAX_ACCOUNT_OCTETS = 64 * 1024

Publish: TypeAlias = Callable[[str, str], AbstractContextManager[None]]
"""Have a TXT record (name, text) seen by the world, and take it away again."""


class AcmeAuthority:
    """An authority by its directory; our account there is kept in a file. Raises Refused."""

    def __init__(
        self, directory: str, account_file: Path, *, email: str, now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._directory = directory
        self._account_file = account_file
        self._email = email
        self._now = now

    def certificate(self, names: Sequence[str], publish: Publish) -> Pair:
        """A new key, and a certificate for it."""
        with _told(self._directory):
            client = self._client()
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            from acme import crypto_util

            order = client.new_order(crypto_util.make_csr(pem, list(names)))
            with ExitStack() as published:
                self._answer(client, order, publish, published)
                deadline = self._now() + timedelta(seconds=ORDER_SECONDS)
                done = client.poll_and_finalize(order, deadline)
            return Pair(str(done.fullchain_pem), pem.decode())

    def _answer(self, client: Any, order: Any, publish: Publish, published: ExitStack) -> None:
        from acme import challenges, messages

        for authorization in order.authorizations:
            body = authorization.body
            if body.status == messages.STATUS_VALID:
                continue
            found = [it for it in body.challenges if isinstance(it.chall, challenges.DNS01)]
            if not found:
                raise Refused("acme-no-dns-challenge", failure=True)
            name = found[0].chall.validation_domain_name(body.identifier.value)
            published.enter_context(publish(name, found[0].validation(client.net.key)))
            client.answer_challenge(found[0], found[0].response(client.net.key))

    def _client(self) -> Any:
        """Logged in: with the account of the file, else with a new one that goes there."""
        from acme import client, messages
        from cryptography.hazmat.primitives.asymmetric import rsa
        from josepy.jwk import JWKRSA

        kept = self._kept()
        key: Any
        if kept is not None:
            key = JWKRSA.from_json(kept["key"])
        else:
            key = JWKRSA(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
        net = client.ClientNetwork(key, user_agent="mxgw", timeout=REQUEST_SECONDS)
        directory = client.ClientV2.get_directory(self._directory, net)
        found = client.ClientV2(directory, net)
        if kept is not None:
            net.account = messages.RegistrationResource(
                uri=kept["account"], body=messages.Registration(key=key.public_key())
            )
            return found
        registration = messages.NewRegistration.from_data(
            email=self._email or None, terms_of_service_agreed=True
        )
        account = found.new_account(registration)
        told = {"directory": self._directory, "account": account.uri, "key": key.to_json()}
        self._keep(json.dumps(told, indent=2))
        return found

    def _kept(self) -> dict[str, Any] | None:
        """The account, where it is one of this authority."""
        try:
            with self._account_file.open("rb") as file:
                told = json.loads(file.read(MAX_ACCOUNT_OCTETS))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise Refused("acme-account-unreadable", failure=True, path=str(self._account_file)) from None
        match told:
            case {"directory": self._directory, "account": str(), "key": {**_key}}:
                return dict(told)
            case _:
                return None

    def _keep(self, text: str) -> None:
        try:
            write_file(self._account_file, text, mode=0o600)
        except OSError as error:
            raise Refused("state-unwritable", failure=True, why=shown(str(error))) from None


@contextmanager
def _told(directory: str) -> Iterator[None]:
    """What goes wrong with an authority, in a sentence."""
    try:
        import requests
        from acme import errors, messages
    except ModuleNotFoundError:
        raise Refused("acme-not-installed", failure=True) from None
    try:
        yield
    except errors.ValidationError as error:
        raise Refused("acme-invalid", failure=True, why=shown(_reasons(error))) from None
    except messages.Error as error:
        limited = error.code == "rateLimited"
        why = shown(str(error.detail or error.typ))
        raise Refused("acme-limited" if limited else "acme-refuses", failure=True, why=why) from None
    except (errors.TimeoutError, requests.RequestException):
        raise Refused("acme-unreachable", failure=True, directory=directory) from None
    except (errors.Error, ValueError) as error:
        why = shown(str(error) or type(error).__name__)
        raise Refused("acme-refuses", failure=True, why=why) from None


def _reasons(error: Any) -> str:
    """What the authority found at each name."""
    found = []
    for authorization in error.failed_authzrs:
        name = authorization.body.identifier.value
        found += [f"{name}: {it.error.detail}" for it in authorization.body.challenges if it.error]
    return "; ".join(found)
