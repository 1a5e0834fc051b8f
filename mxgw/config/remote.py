"""References to values that are kept at AWS, as settings name them: ``ssm:/path`` and ``secret:name#key``.

Only the form is judged here. Who reads them is given to ``load``: most installations never ask AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

MAX_PARAMETER_CHARACTERS = 1011
"""AWS Systems Manager, PutParameter: longer names do not fit into an ARN."""

MAX_KEY_CHARACTERS = 256
"""A key of a JSON object that a person chose."""

# AWS Systems Manager, PutParameter: letters, digits and _.- between slashes.
_PARAMETER = re.compile(r"(?:/[A-Za-z0-9_.-]+)+")
# AWS Secrets Manager, CreateSecret: a name has at most 512 characters; its ARN ends with six more.
_NAME = r"[A-Za-z0-9/_+=.@-]{1,519}"
_SECRET = re.compile(_NAME)
_SECRET_ARN = re.compile(
    rf"arn:aws[a-z-]{{0,20}}:secretsmanager:(?P<region>[a-z0-9-]{{1,40}}):[0-9]{{12}}:secret:{_NAME}"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of AWS Systems Manager: a path, by which it is asked for in the region of the program."""

    name: str

    def __str__(self) -> str:
        return f"ssm:{self.name}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of AWS Secrets Manager: its name or ARN, and the key of its JSON object ("": all of it)."""

    id: str
    key: str = ""

    def __str__(self) -> str:
        return f"secret:{self.id}#{self.key}" if self.key else f"secret:{self.id}"

    @property
    def region(self) -> str:
        """The region that its ARN names; "" where there is only a name."""
        match = _SECRET_ARN.fullmatch(self.id)
        return match["region"] if match else ""


Reference: TypeAlias = Parameter | Secret

Fetch: TypeAlias = Callable[[Reference], str]
"""Reads what a reference names. Raises ValueError with a reason that never repeats the value."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How a setting may be kept at AWS: ``refer`` finds the reference in its text (None: the text is the
    value itself), ``value`` makes the setting's value of what was read there. Both raise ValueError."""

    refer: Callable[[str], Reference | None]
    value: Callable[[Any, str], object]


def no_fetch(reference: Reference) -> str:
    """Of a caller that never asks AWS."""
    raise ValueError("values that are kept at AWS are not read here")


def parameter(text: str) -> Parameter | None:
    """``ssm:/path``."""
    if not text.startswith("ssm:"):
        return None
    name = text.removeprefix("ssm:")
    if len(name) > MAX_PARAMETER_CHARACTERS or not _PARAMETER.fullmatch(name):
        raise ValueError("behind ssm: stands no path of a parameter, for example /mxgw/domains")
    return Parameter(name)


def secret(text: str) -> Secret | None:
    """``secret:name`` or ``secret:arn``, each with ``#key`` where the secret is a JSON object."""
    if not text.startswith("secret:"):
        return None
    identity, hash_sign, key = text.removeprefix("secret:").partition("#")
    if identity.startswith("arn:"):
        if not _SECRET_ARN.fullmatch(identity):
            raise ValueError("behind secret: stands no ARN of a secret (a key of its JSON is named by #key)")
    elif not _SECRET.fullmatch(identity):
        raise ValueError("behind secret: stands neither a name nor an ARN of a secret")
    if hash_sign and not (0 < len(key) <= MAX_KEY_CHARACTERS and key.isprintable()):
        raise ValueError("behind # stands no key of a JSON object")
    return Secret(identity, key)
