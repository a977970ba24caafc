"""The octets of a new message: what the client sent, or pieces of that and of messages in the store (RFC 4469)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.imap import sections, spool
from gateway.imap.answers import Refused
from gateway.imap.codec import commands as c
from gateway.imap.codec.cursor import Literal
from gateway.imap.codec.imapurl import MessageUrl, bad_url, parse_url
from gateway.imap.connection import User
from gateway.mailbox.source import gathered
from gateway.mailbox.view import View
from gateway.mapi.content import Blob


async def assembled(user: User, message: c.NewMessage) -> bytes | Blob:
    """The octets of a message to store. Raises Refused: BADURL, TOOBIG."""
    if not message.catenate:
        [part] = message.parts
        assert isinstance(part, Literal)
        return spool.content(part)
    pieces = [await _octets(user, part) for part in message.parts]
    size = sum(piece.size for piece in pieces)
    if size > user.options.max_message:
        raise Refused("The message is too large", "TOOBIG")
    return await user.account.store.compute(size, lambda: gathered(_chunks(pieces)))


def _chunks(pieces: list[sections.Octets]) -> Iterator[bytes]:
    for piece in pieces:
        yield from piece.pieces()


async def _octets(user: User, part: c.MessagePart) -> sections.Octets:
    if isinstance(part, c.UrlPart):
        return await _of_url(user, part.url)
    content = spool.content(part)
    return (
        sections.of_bytes(content)
        if isinstance(content, bytes)
        else sections.Octets(content.size, content.slice)
    )


async def _of_url(user: User, text: str) -> sections.Octets:
    url = parse_url(text)
    if url.mailbox is None:
        found = None if user.selection is None else await _of_message(user, user.selection.view, url)
    else:
        view = await user.account.view(await user.folder(url.mailbox))
        try:
            found = await _of_message(user, view, url)
        finally:
            user.account.release(view)
    if found is None:
        raise Refused("There is no such message", bad_url(text))
    return found


async def _of_message(user: User, view: View, url: MessageUrl) -> sections.Octets | None:
    if url.uid_validity not in (None, view.uidvalidity):
        return None
    async for source in view.sources([url.uid]):
        if not url.section.part and not url.section.text:
            return sections.of_source(source).cut(url.section.partial)
        message = await user.account.store.compute(source.size, lambda: sections.scanned(source))  # noqa: B023
        found = sections.section_of(message, url.section)
        return None if found is None else found.cut(url.section.partial)
    return None
