"""Whom From names: the author domains of a message, by one strict reading of the field.

Sources: RFC 5322 section 3.4 (mailboxes) without its obsolete forms, RFC 6854 (groups in From), RFC 6532
(UTF-8), RFC 2047 section 5 (no encoded word in an address), RFC 9989 sections 5.3.1 and 11.5.

Programs disagree over what is no valid field: `<a@one.example>b@two.example` has one author for some and the
other for the rest. What can be read in two ways is therefore not read at all, and the message has a problem
instead of an author: it must not show one name to us and another to the reader.

Two deviations, for honest mail of careless senders, both with a domain that every reader must find. A field
that breaks the grammar, with quotes and comments that end, is read all the same where it has one "@" and one
pair of angle brackets, at its end, as in `Doe, John <john@one.example>`; and where the display name is an
address of the same domain.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass
from typing import NamedTuple

from mxgw.header import Field, Header
from mxgw.resolver.names import canonical

MAX_AUTHOR_DOMAINS = 4
"""RFC 9989 section 11.5 warns of more work per domain; a From with two is rare, and mostly abuse."""

MAX_FROM_OCTETS = 16 * 1024
"""No RFC bounds the field; a hundred addresses with long names fit, and reading it stays below 10 ms."""

NO_FIELD = "no From field"
STRAY_LINE = "a line behind From is no field"
UNREADABLE = "From cannot be read"
NOT_UTF8 = "From is not UTF-8"
CONTROL_CHARACTERS = "From has control characters"
HIDDEN_CHARACTERS = "From hides control characters in an encoded word"
TOO_LONG = f"From is longer than {MAX_FROM_OCTETS} octets"
NO_ADDRESS = "From has no address"
ADDRESS_LITERAL = "From has an address literal"
BAD_ADDRESS = "From has an address with a misplaced dot"
BAD_DOMAIN = "From has a domain that cannot exist"
ENCODED_ADDRESS = "From has an encoded word in an address"
TOO_MANY_DOMAINS = f"From has more than {MAX_AUTHOR_DOMAINS} domains"

# RFC 5322 section 3.2.2. A line of blanks alone (section 4.2, obs-FWS) is not among it: it ends the header
# for some programs.
_FOLD = re.compile(r"\r\n(?=[ \t])")
_BLANK_LINE = re.compile(r"\r\n[ \t]+(?:\r\n|\Z)")
# C0 but the tab, DEL, C1, and the two that Unicode has for the end of a line.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
# RFC 5322 section 3.2.3 and RFC 6532 section 3.2: atext is what is neither blank nor special. The dot is
# with it: a run with dots is the dot-atom of an address, and in a display name it is what RFC 5322 section
# 4.1 (obs-phrase) bids every reader accept, since "John Q. Public" is how people write. It cannot change
# which address is named.
_ATOM = r'[^\x00-\x20()<>\[\]:;@\\,"]+'
_TOKEN = re.compile(
    rf"(?P<word>{_ATOM})"
    r'|"(?P<quoted>(?:[^"\\]|\\.)*+)"'
    r"|(?P<mark>[<>\[\]:;@,])"
    r"|(?P<comment>\()"
    r"|[ \t]+"
)
_IN_COMMENT = re.compile(r"[()]|\\.")
_WORDS = frozenset({"word", "quoted"})
_ONLY_ADDRESS = re.compile(rf"[^@<>]*<(?P<local>{_ATOM})@(?P<domain>{_ATOM})>[ \t]*")
_NAMED_AS_ADDRESS = re.compile(
    rf"[ \t]*{_ATOM}@(?P<domain>{_ATOM})[ \t]*<(?P<local>{_ATOM})@(?P=domain)>[ \t]*", re.IGNORECASE
)
# RFC 5321 section 2.3.5 with the underscore, which some senders have in their names.
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
# RFC 2047 section 2, read as widely as mail programs do.
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,64}\?(?P<encoding>[BbQq])\?(?P<text>[^?\s]*)\?=")
_ENCODED_LINE_END = re.compile(r"=0[0adAD]")
_LINE_END = re.compile(rb"[\x00\r\n]")


@dataclass(frozen=True, slots=True)
class Author:
    """The domains that From names, or why it names nobody clearly: never both, never neither.

    ``domains`` are distinct, lower case, A-labels, in their order, at most MAX_AUTHOR_DOMAINS. ``problem`` is
    in words of our own, with nothing of the message in it.
    """

    domains: tuple[str, ...]
    problem: str


class _Token(NamedTuple):
    kind: str
    text: str


_END = _Token("end", "")


class _Unreadable(Exception):
    """The argument is the problem."""


def author_of(header: Header) -> Author:
    """The author of a message. Total; its time grows with the size of the field alone, up to a bound."""
    fields = header.named("From")
    if not fields:
        return Author((), NO_FIELD)
    if len(fields) > 1:
        return Author((), f"{len(fields)} From fields")
    if header.count("") and _goes_on_for_some(header):
        return Author((), STRAY_LINE)
    try:
        return Author(_domains(fields[0]), "")
    except _Unreadable as why:
        return Author((), str(why))


def _goes_on_for_some(header: Header) -> bool:
    """Whether the line behind From is no field: some programs take it for more of From."""
    names = [one.name.lower() for one in header.fields]
    return "" in names[names.index("from") + 1 :][:1]


def _domains(field: Field) -> tuple[str, ...]:
    """The domains of the field as DNS has them. Raises _Unreadable."""
    text = _text(field)
    tokens = _tokens(text)
    try:
        written = _MailboxList(tokens).domains()
    except _Unreadable as why:
        only = _ONLY_ADDRESS.fullmatch(text) or _NAMED_AS_ADDRESS.fullmatch(text)
        if only is None or str(why) != UNREADABLE:
            raise
        written = [_address_domain(_Token("word", only["local"]), _Token("word", only["domain"]))]
    if not written:
        raise _Unreadable(NO_ADDRESS)
    spellings = dict.fromkeys(domain.lower() for domain in written)
    if len(spellings) > MAX_AUTHOR_DOMAINS:
        raise _Unreadable(TOO_MANY_DOMAINS)
    return tuple(dict.fromkeys(_name(domain) for domain in spellings))


def _text(field: Field) -> str:
    """The value, unfolded. Raises _Unreadable where it has what no field may have."""
    value = field.raw.partition(b":")[2]
    if len(value) > MAX_FROM_OCTETS:
        raise _Unreadable(TOO_LONG)
    try:
        text = value.decode().removesuffix("\r\n")
    except UnicodeDecodeError:
        raise _Unreadable(NOT_UTF8) from None
    if _BLANK_LINE.search(text):
        raise _Unreadable(UNREADABLE)
    text = _FOLD.sub("", text)
    if _CONTROL.search(text):
        raise _Unreadable(CONTROL_CHARACTERS)
    if "=?" in text and _hides_line_end(text):
        raise _Unreadable(HIDDEN_CHARACTERS)
    return text


def _hides_line_end(text: str) -> bool:
    """Whether an encoded word decodes to what ends a text or a line for careless readers, so that the name
    before it stands as the whole address."""
    for word in _ENCODED_WORD.finditer(text):
        if word["encoding"] in "Qq":
            if _ENCODED_LINE_END.search(word["text"]):
                return True
            continue
        try:
            octets = a2b_base64(word["text"].encode())
        except Base64Error:
            continue
        if _LINE_END.search(octets):
            return True
    return False


def _tokens(text: str) -> list[_Token]:
    """The tokens of the field and _END; blanks and comments are gone (RFC 5322 section 3.2). Raises
    _Unreadable."""
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _Unreadable(UNREADABLE)
        at = match.end()
        kind = match.lastgroup
        if kind == "comment":
            at = _after_comment(text, at)
        elif kind == "mark":
            tokens.append(_Token(match["mark"], ""))
        elif kind is not None:
            tokens.append(_Token(kind, match[kind]))
    tokens.append(_END)
    return tokens


def _after_comment(text: str, at: int) -> int:
    """Where a comment ends whose parenthesis stands before ``at``; they nest to any depth."""
    depth = 1
    for match in _IN_COMMENT.finditer(text, at):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return match.end()
    raise _Unreadable(UNREADABLE)


class _MailboxList:
    """Reads `address *("," address)`, where an address is a mailbox or a group of them."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def domains(self) -> list[str]:
        """The domain of each mailbox, as written. Raises _Unreadable."""
        found: list[str] = []
        in_group = False
        if self._next == "end":
            return found
        while True:
            words = self._skip_words()
            if self._next == ":" and words and not in_group:
                self._take(":")
                in_group = True
                if self._next != ";":
                    continue
            else:
                found.append(self._mailbox(words))
            if in_group and self._next == ";":
                self._take(";")
                in_group = False
            if self._next == "end" and not in_group:
                return found
            self._take(",")

    def _mailbox(self, words: int) -> str:
        """The domain of a mailbox whose first ``words`` were passed already."""
        if self._next != "<":
            if words != 1:
                raise _Unreadable(UNREADABLE)
            self._at -= 1
            return self._address()
        self._take("<")
        domain = self._address()
        self._take(">")
        return domain

    def _address(self) -> str:
        """The domain of an addr-spec (RFC 5322 section 3.4.1)."""
        local = self._tokens[self._at]
        if local.kind not in _WORDS:
            raise _Unreadable(UNREADABLE)
        self._at += 1
        self._take("@")
        domain = self._tokens[self._at]
        if domain.kind == "[":
            raise _Unreadable(ADDRESS_LITERAL)
        if domain.kind != "word":
            raise _Unreadable(UNREADABLE)
        self._at += 1
        return _address_domain(local, domain)

    @property
    def _next(self) -> str:
        return self._tokens[self._at].kind

    def _take(self, kind: str) -> None:
        if self._next != kind:
            raise _Unreadable(UNREADABLE)
        self._at += 1

    def _skip_words(self) -> int:
        start = self._at
        while self._next in _WORDS:
            self._at += 1
        return self._at - start


def _address_domain(local: _Token, domain: _Token) -> str:
    """The domain of an address whose parts were found. Raises _Unreadable where no address has such parts."""
    if not _is_dot_atom(domain.text) or (local.kind == "word" and not _is_dot_atom(local.text)):
        raise _Unreadable(BAD_ADDRESS)
    if _looks_encoded(local.text):
        raise _Unreadable(ENCODED_ADDRESS)
    return domain.text


def _is_dot_atom(text: str) -> bool:
    return not (text.startswith(".") or text.endswith(".") or ".." in text)


def _looks_encoded(text: str) -> bool:
    start = text.find("=?")
    return start >= 0 and text.find("?=", start + 2) >= 0


def _name(domain: str) -> str:
    """A domain as DNS has it: A-labels, lower case (RFC 9989 section 5.3.1). Raises _Unreadable."""
    name = canonical(domain)
    if name is None or not _NAME.fullmatch(name):
        raise _Unreadable(BAD_DOMAIN)
    return name
