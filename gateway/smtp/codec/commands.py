"""Command lines as values (RFC 5321 4.1.1, RFC 2033, 3207, 4954, 3030, 1870, 6152, 6531)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.smtp.codec.address import Address, take_path
from gateway.smtp.codec.replies import Refused


@dataclass(frozen=True, slots=True)
class Hello:
    """HELO, EHLO or LHLO."""

    verb: str
    name: str


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM. ``size`` is what SIZE announces, 0 when it does not."""

    sender: Address
    size: int = 0
    body: str = "7BIT"
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO."""

    recipient: Address


@dataclass(frozen=True, slots=True)
class Data:
    """DATA."""


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT: so many octets follow at once."""

    size: int
    last: bool


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH with its mechanism and perhaps the initial response."""

    mechanism: str
    initial: str | None


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS."""


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY; EXPN and HELP are answered alike: not here."""

    verb: str


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another protocol's beginning: a browser was made to talk to us."""


Command: TypeAlias = Hello | Mail | Rcpt | Data | Bdat | Auth | StartTls | Rset | Noop | Vrfy | Quit | Foreign

_FOREIGN: Final = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "HOST:"})
_BODIES: Final = frozenset({"7BIT", "8BITMIME"})
_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


def parse(line: bytes) -> Command:
    """The command of a line without its end; Refused with the reply that says what is wrong."""
    try:
        text = line.decode("utf-8").rstrip(" ")
    except UnicodeDecodeError:
        raise Refused(500, "5.5.2", "the line is not UTF-8") from None
    if not _PRINTABLE.fullmatch(text):  # bare CR and LF, NUL
        raise Refused(500, "5.5.2", "control characters in a command")
    verb, _, argument = text.partition(" ")
    reader = _READERS.get(verb.upper())
    if reader is not None:
        return reader(verb.upper(), argument)
    if verb.upper() in _FOREIGN:
        return Foreign()
    raise Refused(500, "5.5.1", "no such command")


def _hello(verb: str, argument: str) -> Hello:
    name = argument.strip()
    if not name or len(name) > 255 or " " in name:
        raise Refused(501, "5.5.4", f"{verb} needs your host's name")
    return Hello(verb, name)


def _mail(_verb: str, argument: str) -> Mail:
    sender, parameters = _path(argument, "FROM:", "5.1.7")
    mail = Mail(sender)
    for key, value in parameters.items():
        if key == "SIZE" and value.isascii() and value.isdecimal() and len(value) <= 20:
            mail = Mail(sender, int(value), mail.body, mail.utf8)
        elif key == "BODY" and value.upper() in _BODIES:
            mail = Mail(sender, mail.size, value.upper(), mail.utf8)
        elif key == "SMTPUTF8" and not value:
            mail = Mail(sender, mail.size, mail.body, True)
        elif key not in ("AUTH", "RET", "ENVID"):  # RFC 4954 5 and RFC 3461: taken, no use is made of them
            raise Refused(555, "5.5.4", f"parameter {key} is not known or makes no sense")
    if not sender.is_ascii and not mail.utf8:
        raise Refused(553, "5.6.7", "this address needs SMTPUTF8")
    return mail


def _rcpt(_verb: str, argument: str) -> Rcpt:
    recipient, parameters = _path(argument, "TO:", "5.1.3")
    if recipient.is_null:
        raise Refused(501, "5.1.3", "a recipient cannot be empty")
    for key in parameters:
        if key not in ("NOTIFY", "ORCPT"):
            raise Refused(555, "5.5.4", f"parameter {key} is not known")
    return Rcpt(recipient)


def _path(argument: str, keyword: str, status: str) -> tuple[Address, dict[str, str]]:
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(501, "5.5.4", f"the syntax is {keyword}<address>")
    found = take_path(argument[len(keyword) :])
    if found is None:
        raise Refused(501 if status == "5.1.7" else 553, status, "that is no address")
    address, rest = found
    if rest and not rest.startswith(" "):
        raise Refused(501, "5.5.4", "a space must follow the address")
    parameters: dict[str, str] = {}
    for word in rest.split():
        key, _, value = word.partition("=")
        if key.upper() in parameters:
            raise Refused(501, "5.5.4", f"{key} is given twice")
        parameters[key.upper()] = value
    return address, parameters


def _bdat(_verb: str, argument: str) -> Bdat:
    match = re.fullmatch(r"([0-9]{1,12})( LAST)?", argument.strip(), re.IGNORECASE)
    if match is None:
        raise Refused(501, "5.5.4", "the syntax is BDAT size [LAST]")
    return Bdat(int(match[1]), bool(match[2]))


def _auth(_verb: str, argument: str) -> Auth:
    words = argument.split()
    if not 1 <= len(words) <= 2:
        raise Refused(501, "5.5.4", "the syntax is AUTH mechanism [response]")
    return Auth(words[0].upper(), words[1] if len(words) == 2 else None)


def _bare(command: Command) -> Callable[[str, str], Command]:
    def read(verb: str, argument: str) -> Command:
        if argument.strip():
            raise Refused(501, "5.5.4", f"{verb} takes no arguments")
        return command

    return read


_READERS: Final[dict[str, Callable[[str, str], Command]]] = {
    "HELO": _hello,
    "EHLO": _hello,
    "LHLO": _hello,
    "MAIL": _mail,
    "RCPT": _rcpt,
    "DATA": _bare(Data()),
    "BDAT": _bdat,
    "AUTH": _auth,
    "STARTTLS": _bare(StartTls()),
    "RSET": _bare(Rset()),
    "QUIT": _bare(Quit()),
    "NOOP": lambda _verb, _argument: Noop(),
    "VRFY": lambda verb, _argument: Vrfy(verb),
    "EXPN": lambda verb, _argument: Vrfy(verb),
    "HELP": lambda verb, _argument: Vrfy(verb),
}
