"""What is promised of any bytes that are taken for a mail, checked for one input at a time."""

import re
from collections.abc import Iterator
from itertools import pairwise

from gateway.convert.mime import (
    Part,
    ToMimeOptions,
    UnknownEncoding,
    binary,
    body,
    body_text,
    bodystructure,
    envelope,
    from_mime,
    header_fields,
    header_text,
    normalised,
    original_properties,
    preview,
    scan,
    section,
    span,
    to_mime,
)
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import NamedTag, Value

_QUOTED = re.compile(rb'"(?:[^"\\\r\n]|\\["\\])*"')
_ATOMS = re.compile(rb"[()]|NIL|[0-9]+| ")


def check(data: bytes) -> MessageContent:
    """Every promise at once; the content, for those who want more of it."""
    message = scan(data)
    check_offsets(message)
    for rendered in (envelope(message), body(message), bodystructure(message)):
        check_list(rendered)
    check_sections(message, len(data))
    check_text(message)
    content = from_mime(data)
    check_content(content)
    check_original(data)
    check_mail_from_it(content)
    return content


def check_mail_from_it(content: MessageContent) -> None:
    """The mail made from the content gives content of which the same mail is made."""
    options = ToMimeOptions(identity=b"same", own=True, marks=True)
    mail = to_mime(content, options)
    made = mail.bytes()
    assert mail.size == len(made)
    assert to_mime(from_mime(made), options).bytes() == made


def check_offsets(part: Part) -> None:
    """Parts lie inside their parents, in order, one after the other."""
    assert 0 <= part.start <= part.body <= part.end <= len(part.data)
    assert part.lines <= part.size
    inside = [part.message] if part.message is not None else part.children
    for child in inside:
        assert part.body <= child.start <= child.end <= part.end
        check_offsets(child)
    for one, other in pairwise(part.children):
        assert one.end <= other.start


def check_list(rendered: bytes) -> None:
    """One parenthesised list in one line of ASCII, as a client can read it."""
    bare = _QUOTED.sub(b"", rendered)
    assert rendered.isascii()
    assert _ATOMS.sub(b"", bare) == b""
    depth = 0
    for at, byte in enumerate(bare):
        depth += (byte == 40) - (byte == 41)
        assert depth > 0 or at == len(bare) - 1
    assert depth == 0


def paths(part: Part, prefix: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Part]]:
    """Every part below a message with its numbers."""
    if part.children:
        for number, child in enumerate(part.children, 1):
            yield (*prefix, number), child
            if child.message is not None:
                yield from paths(child.message, (*prefix, number))
            elif child.children:
                yield from paths(child, (*prefix, number))
    else:
        yield (*prefix, 1), part


def check_sections(message: Part, size: int) -> None:
    """Every part is found under its number; header and text make the whole."""
    assert span(message) == (0, size)
    assert (section(message, (), "HEADER") or b"") + (section(message, (), "TEXT") or b"") == section(message)
    header = section(message, (), "HEADER") or b""
    assert header_fields(message, (), (), exclude=True) == header
    for path, part in paths(message):
        assert section(message, path) == part.body_bytes
        try:
            decoded = binary(message, path)
        except UnknownEncoding:
            continue
        assert decoded is not None


def check_text(message: Part) -> None:
    """The readable text is text."""
    for text in (*header_text(message), *body_text(message), preview(message)):
        text.encode()
    assert len(preview(message)) <= 200


def check_content(content: MessageContent) -> None:
    """Every value has the type of its tag and can be stored."""
    for props in (content.props, *content.recipients, *(each.props for each in content.attachments)):
        for key, value in props.items():
            check_value(key.type if isinstance(key, NamedTag) else key & 0xFFFF, value)
    assert isinstance(content.props[pr.PR_MESSAGE_CLASS], str)
    for attachment in content.attachments:
        assert (attachment.embedded is None) is (attachment.props[pr.PR_ATTACH_METHOD] != 5)
        assert (attachment.data is None) is (attachment.embedded is not None)
        if attachment.embedded is not None:
            check_content(attachment.embedded)


def check_value(kind: int, value: Value) -> None:
    """One property value."""
    if kind & 0x1000:
        assert isinstance(value, tuple)
        for each in value:
            check_value(kind & ~0x1000, each)
    elif kind in (0x1E, 0x1F):
        assert isinstance(value, str)
        assert "\0" not in value
        value.encode()
    else:
        types = {
            0x0102: bytes,
            0x0B: bool,
            0x03: int,
            0x40: int,
            0x05: float,
            0x02: int,
            0x14: int,
            0x48: bytes,
        }
        assert type(value) is types[kind]
        assert kind != 0x03 or 0 <= value < 2**32


def check_original(data: bytes) -> None:
    """What is stored beside the content says the same of the same bytes."""
    stored = normalised(data)
    assert normalised(stored) == stored
    props = original_properties(stored)
    assert props[pr.PR_EC_IMAP_EMAIL] == stored
    assert props[pr.PR_EC_IMAP_EMAIL_SIZE] == len(stored)
