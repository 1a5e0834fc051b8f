"""The edge's list of domains at AWS: a parameter that the edge looks at every minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mxgw.admin.cloud.aws import AwsAccount
from mxgw.admin.refusal import Refused
from mxgw.resolver.names import canonical

PERMISSIONS = "ssm:GetParameter, ssm:PutParameter"


class EdgeDomains:
    """One parameter. Raises Refused."""

    def __init__(self, account: AwsAccount, parameter: str) -> None:
        self._account = account
        self._parameter = parameter

    def add(self, domain: str) -> bool:
        """Whether it was not there yet."""
        return self._edited(lambda text: with_domain(text, domain))

    def remove(self, domain: str) -> bool:
        """Whether it was there. The last one stays: an edge without a domain does not start."""
        return self._edited(lambda text: without_domain(text, domain))

    def _edited(self, edit: Callable[[str], str]) -> bool:
        client = self._account.client("ssm")
        with self._account.told(self._parameter, PERMISSIONS):
            parameter: Any = client.get_parameter(Name=self._parameter, WithDecryption=True)["Parameter"]
            before = str(parameter["Value"])
            after = edit(before)
            if after == before:
                return False
            client.put_parameter(
                Name=self._parameter, Value=after, Type=parameter.get("Type", "String"), Overwrite=True
            )
            return True


def domains_in(text: str) -> list[str]:
    """As the edge reads them: separated by commas, or one a line with comments."""
    words = (word.strip() for line in text.splitlines() for word in line.partition("#")[0].split(","))
    return [canonical(word) or word for word in words if word]


def with_domain(text: str, domain: str) -> str:
    """The text with a domain more, in its own form; the same where it is there."""
    if domain in domains_in(text):
        return text
    if "\n" in text.strip() or "#" in text:
        return f"{text.rstrip()}\n{domain}\n"
    return ",".join([*filter(None, (word.strip() for word in text.split(","))), domain])


def without_domain(text: str, domain: str) -> str:
    """The text with a domain less, in its own form. Raises Refused where none would be left."""
    there = domains_in(text)
    if domain not in there:
        return text
    if set(there) == {domain}:
        raise Refused("edge-last-domain", failure=True, domain=domain)
    lines = []
    for line in text.splitlines():
        names, sign, comment = line.partition("#")
        words = [word.strip() for word in names.split(",")]
        kept = [word for word in words if word and canonical(word) != domain]
        if len(kept) == len([word for word in words if word]):
            lines.append(line)
        elif kept or sign:
            lines.append(",".join(kept) + (f" {sign}{comment}" if sign else ""))
    return "\n".join(lines) + ("\n" if text.endswith("\n") else "")
