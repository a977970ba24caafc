"""One mail on its way over one connection: its commands, its octets, and how replies are shared out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

from gateway.smtp.codec.replies import Reply
from gateway.submission.sevenbit import NotConvertible, seven_bit

_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n")
NO_SUCH_ADDRESSES: Final = Reply(553, "5.6.7", "the next mail server takes no addresses outside ASCII")
TOO_LARGE: Final = Reply(552, "5.3.4", "the next mail server does not take so large a mail")


class Impossible(Exception):
    """The mail cannot go this way at all; ``reply`` says why."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply.text)


@dataclass(frozen=True, slots=True)
class Passage:
    """A mail with the sender and the recipients of its envelope."""

    sender: str
    recipients: Sequence[str]
    mail: bytes

    def fitting(self, extensions: Mapping[str, str]) -> tuple[Passage, dict[str, Reply]]:
        """The mail as this server can take it, and the recipients that it cannot take at all (Impossible)."""
        limit = extensions.get("SIZE", "")
        if limit.isascii() and limit.isdecimal() and 0 < int(limit) < len(self.mail):
            raise Impossible(TOO_LARGE)
        mail, refused = self.mail, {}
        if "SMTPUTF8" not in extensions:
            refused = {each: NO_SUCH_ADDRESSES for each in self.recipients if not each.isascii()}
            if not self.sender.isascii():
                raise Impossible(NO_SUCH_ADDRESSES)
        if "8BITMIME" not in extensions and not mail.isascii():
            try:
                mail = seven_bit(mail)
            except NotConvertible as error:
                raise Impossible(
                    Reply(554, "5.6.3", f"the next mail server takes 7-bit mail only: {error}")
                ) from error
        left = [each for each in self.recipients if each not in refused]
        return Passage(self.sender, left, mail), refused

    def commands(self, extensions: Mapping[str, str]) -> list[bytes]:
        """MAIL with what the mail needs and the server can, and RCPT by RCPT."""
        line = f"MAIL FROM:<{self.sender}>"
        if "SIZE" in extensions:
            line += f" SIZE={len(self.mail)}"
        if "8BITMIME" in extensions and not self.mail.isascii():
            line += " BODY=8BITMIME"
        if "SMTPUTF8" in extensions and self._needs_utf8():
            line += " SMTPUTF8"
        return [line.encode(), *(f"RCPT TO:<{recipient}>".encode() for recipient in self.recipients)]

    def _needs_utf8(self) -> bool:
        if not all(map(str.isascii, (self.sender, *self.recipients))):
            return True
        end = _END_OF_HEADER.search(self.mail)
        header = self.mail[: end.start()] if end else self.mail
        return not header.isascii()

    def wire(self) -> bytes:
        """The octets after DATA, without the end."""
        return stuffed(self.mail)

    def outcome(
        self, mail: Reply, recipients: Sequence[Reply], data: Sequence[Reply]
    ) -> list[tuple[str, Reply]]:
        """What became of each recipient: its own no, else what was said to the sender, else to the data.

        ``data`` is one reply for all who were taken, or one for each of them.
        """
        if not mail.is_good:
            return [(recipient, mail) for recipient in self.recipients]
        said = iter(data) if len(data) > 1 else repeat(data[0])
        pairs = zip(self.recipients, recipients, strict=True)
        return [(recipient, next(said) if reply.is_good else reply) for recipient, reply in pairs]


def stuffed(mail: bytes) -> bytes:
    """A mail as DATA wants it: CRLF throughout, dots doubled, an end of line at the end (RFC 5321 4.5.2)."""
    if _BARE.search(mail):
        mail = _BARE.sub(b"\r\n", mail)
    if not mail.endswith(b"\r\n"):
        mail += b"\r\n"
    mail = mail.replace(b"\r\n.", b"\r\n..")
    return b"." + mail if mail.startswith(b".") else mail
