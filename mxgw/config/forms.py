"""The forms that a setting may take: each function turns the text of a setting into its value.

A text that does not fit raises ValueError with a reason that never repeats the text: the loader shows the
value beside it, or masks it where it is secret. Total: no other exception leaves.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple, TypeVar

from mxgw.config.remote import Secret
from mxgw.envelope import ForwardPath, parse_mailbox

HOME_PORT = 2525
SCANNER_PORT = 11333
DNS_PORT = 53

MIN_SECRET_CHARACTERS = 16
"""A key that a person can guess seals nothing; 16 random characters are about 90 bits."""

PEM_BEGIN = "-----BEGIN "
"""How PEM text begins (RFC 7468 section 2); no path of a file does."""

MAX_DOMAIN_CHARACTERS = 253
"""RFC 1035 section 2.3.4: 255 octets on the wire, which is 253 characters without the final dot."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LDH_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# Container and service names of Docker hold underscores, so a host to connect to may have them.
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_HOST_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})")
_OCTETS = re.compile(r"(?P<number>[0-9]{1,15}) ?(?P<unit>[KMG]iB)?")
_LABEL_TEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_INTEGER = re.compile(r"[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_Number = TypeVar("_Number", int, float)
_UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


class Address(NamedTuple):
    """Where to listen or to connect to; prints as ``host:port``, an IPv6 address in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class HomeAddress(Address):
    """The LMTP door that messages are relayed to; prints as ``lmtp://host:port``."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"lmtp://{Address(self.host, self.port)}"


class ScannerAddress(Address):
    """Where the content scanner answers; prints as ``http://host:port``."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"http://{Address(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class Pem:
    """PEM text that is in no file: given as such, or kept where ``reference`` says. Never shown."""

    text: str = field(repr=False)
    reference: Secret | None = None

    def __str__(self) -> str:
        return str(self.reference or "(PEM text)")


class KeptKey(bytes):
    """A key that is kept where ``reference`` says, and nothing but bytes for whoever uses it."""

    reference: Secret


def listen_address(text: str) -> Address:
    """An address to listen at; port 0 lets the system choose."""
    return _host_port(text, lowest_port=0)


def peer_address(text: str) -> Address:
    """An address to connect to."""
    return _host_port(text, lowest_port=1)


def home_address(text: str) -> HomeAddress:
    """``lmtp://host[:port]``."""
    return HomeAddress(*_url("lmtp", text, HOME_PORT))


def scanner_address(text: str) -> ScannerAddress:
    """``http://host[:port]``."""
    return ScannerAddress(*_url("http", text, SCANNER_PORT))


def resolvers(text: str) -> tuple[Address, ...]:
    """``address[:port],...`` of DNS servers: addresses only, since a name would need a resolver."""
    found: list[Address] = []
    for word in _words(text):
        if _is_ip(word):
            found.append(Address(word, DNS_PORT))
            continue
        bare = word[1:-1] if word.startswith("[") and word.endswith("]") else ""
        address = Address(bare, DNS_PORT) if _is_ip(bare) else peer_address(word)
        if not _is_ip(address.host):
            raise ValueError("a resolver is named by its IP address")
        found.append(address)
    return tuple(dict.fromkeys(found))


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks in CIDR form, or single addresses, separated by commas."""
    found: list[IPv4Network | IPv6Network] = []
    for word in _words(text):
        try:
            found.append(ip_network(word))
        except ValueError:
            try:
                meant = ip_network(word, strict=False)
            except ValueError:
                raise ValueError("one of them is not a network") from None
            raise ValueError(f"host bits are set in a network; did you mean {meant}?") from None
    return tuple(dict.fromkeys(found))


def domain_name(text: str) -> str:
    """A domain as lower-case A-labels: ``例え.jp`` gives ``xn--r8jz45g.jp``."""
    name = text.strip().removesuffix(".").lower()
    if not name.isascii() and len(name) <= MAX_DOMAIN_CHARACTERS:
        name = _to_a_labels(name)
    if len(name) > MAX_DOMAIN_CHARACTERS or not _LDH_DOMAIN.fullmatch(name):
        raise ValueError("it is not a domain name")
    if name.rpartition(".")[2].isdigit():
        raise ValueError("it is an IP address or ends with a number, not a domain name")
    return name


def domain_names(text: str) -> tuple[str, ...]:
    """A comma list of domains, each as ``domain_name`` gives it, without repeats."""
    return tuple(dict.fromkeys(domain_name(word) for word in _words(text)))


def unicode_domain(name: str) -> str:
    """How a client that speaks SMTPUTF8 may write a domain of ours: ``xn--r8jz45g.jp`` gives ``例え.jp``."""
    if "xn--" not in name:
        return name
    # Imported here: only internationalised names pay for its tables.
    import idna

    try:
        return idna.decode(name)
    except (UnicodeError, ValueError):
        return name


def mailbox(text: str) -> ForwardPath:
    """One mailbox, ``local@domain``."""
    path = parse_mailbox(text)
    if path is None:
        raise ValueError("it is not a mailbox")
    return path


def readable_file(text: str) -> Path:
    """The path of a regular file that this process may read."""
    path = Path(text)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is not a regular file")
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None


def directory(text: str) -> Path:
    """The path of a directory; whether it can be written to is tried by ``mxgw check`` and at the start."""
    path = Path(text)
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise ValueError("it is not a directory")
    except OSError as error:
        raise ValueError(f"the directory cannot be used: {error.strerror}") from None
    return path


def secret(text: str) -> bytes:
    """A key as text."""
    if len(text) < MIN_SECRET_CHARACTERS:
        raise ValueError("it is too short")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("it is not UTF-8 text") from None


def kept_secret(reference: Secret, text: str) -> KeptKey:
    """A key that was read where ``reference`` says; blanks at its ends are not part of it."""
    key = KeptKey(secret(text.strip()))
    key.reference = reference
    return key


def pem(text: str) -> Path | Pem:
    """The path of a PEM file, or PEM text itself, as ECS hands a secret over."""
    return Pem(_pem_text(text)) if text.startswith(PEM_BEGIN) else readable_file(text)


def kept_pem(reference: Secret, text: str) -> Pem:
    """PEM text that was read where ``reference`` says."""
    if PEM_BEGIN not in text:
        raise ValueError("what is kept there is no PEM text")
    return Pem(_pem_text(text), reference)


def label(text: str) -> str:
    """A name that metrics bear."""
    if not _LABEL_TEXT.fullmatch(text):
        raise ValueError("it is no such name")
    return text


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """A parser of whole numbers within bounds."""

    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError("it is not a whole number")
        return _bounded(int(text), lowest, highest)

    return parse


def octets(lowest: int, highest: int) -> Callable[[str], int]:
    """A parser of octet counts within bounds; KiB, MiB and GiB are understood."""

    def parse(text: str) -> int:
        if not (match := _OCTETS.fullmatch(text)):
            raise ValueError("it is not a number of octets")
        return _bounded(int(match["number"]) * _UNITS.get(match["unit"] or "", 1), lowest, highest)

    return parse


def seconds(lowest: float, highest: float) -> Callable[[str], float]:
    """A parser of durations within bounds."""

    def parse(text: str) -> float:
        if not _DECIMAL.fullmatch(text):
            raise ValueError("it is not a number of seconds")
        return _bounded(float(text), lowest, highest)

    return parse


def split_words(text: str) -> tuple[str, ...]:
    """The words of a comma list, without the blanks round them; an empty word is a mistake."""
    return _words(text)


def _pem_text(text: str) -> str:
    if not text.isascii() or "-----END " not in text:
        raise ValueError("it is PEM text without an end, or with characters that PEM does not have")
    return text


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise ValueError("there is an empty word between commas")
    return words


def _bounded(value: _Number, lowest: _Number, highest: _Number) -> _Number:
    if not lowest <= value <= highest:
        raise ValueError("it is out of bounds")
    return value


def _host_port(text: str, *, lowest_port: int) -> Address:
    if not (match := _HOST_PORT.fullmatch(text)):
        raise ValueError("it is not host:port (an IPv6 address stands in brackets)")
    host, port = match["v6"] or match["host"] or "", int(match["port"])
    if not lowest_port <= port <= 65535:
        raise ValueError(f"the port is not within {lowest_port} and 65535")
    if match["v6"] is not None:
        if ":" not in host or not _is_ip(host):
            raise ValueError("there is no IPv6 address in the brackets")
        return Address(host, port)
    if re.fullmatch(r"[0-9.]+", host) and not _is_ip(host):
        raise ValueError("the host is not an IPv4 address")
    if len(host) > MAX_DOMAIN_CHARACTERS or not _HOST.fullmatch(host) or ".." in host:
        raise ValueError("the host is neither a name nor an address")
    return Address(host, port)


def _url(scheme: str, text: str, default_port: int) -> Address:
    said, separator, rest = text.partition("://")
    if not separator or said.lower() != scheme:
        raise ValueError(f"it does not begin with {scheme}://")
    rest = rest.removesuffix("/")
    if not re.search(r":[0-9]+$", rest) or rest.endswith("]"):
        rest = f"{rest}:{default_port}"
    return peer_address(rest)


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _to_a_labels(name: str) -> str:
    # Imported here: only internationalised names pay for its tables.
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (UnicodeError, IndexError, ValueError):
        raise ValueError("it is not an internationalised domain name") from None
