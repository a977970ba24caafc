"""ATTACH and the attachments of an item (RFC 5545 3.8.1.1): files inside the text, both ways.

Links stay beside the item, nothing is fetched. An attachment that a text lacks stays in the store: clients leave
out what they have not loaded.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from gateway.convert.ical.blocks import Block
from gateway.convert.ical.options import Options
from gateway.convert.ical.values import number, text
from gateway.convert.lines import Component, Line, line_text
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, MessageContent
from gateway.mapi.props import NamedProps

BY_VALUE: Final = 1
MAX_FILES: Final = 100
_NOT_POSITIONED: Final = 0xFFFFFFFF
_NAMES: Final = ("X-FILENAME", "FILENAME", "X-APPLE-FILENAME")
_UNTYPED: Final = "application/octet-stream"


def write_files(block: Block, attachments: list[AttachmentContent], options: Options) -> None:
    """ATTACH for every file that is small enough."""
    for attachment in attachments:
        data = attachment.data
        if data is None or number(attachment.props, pt.PR_ATTACH_METHOD) not in (None, BY_VALUE):
            continue
        if attachment.props.get(pt.PR_ATTACHMENT_HIDDEN):
            continue
        size = len(data) if isinstance(data, bytes) else data.size
        link = options.link(attachment) if options.link is not None else None
        if link is not None:
            block.lines.append(_link_line(attachment, *link, size))
        elif size <= options.inline:
            raw = data if isinstance(data, bytes) else data.read()
            block.lines.append(_attach_line(attachment, raw))


def _link_line(attachment: AttachmentContent, address: str, key: str, size: int) -> str:
    """An attachment that has an address of its own (RFC 8607 4)."""
    params = {"MANAGED-ID": (key,), "FMTTYPE": (text(attachment.props, pt.PR_ATTACH_MIME_TAG) or _UNTYPED,)}
    params |= {"FILENAME": (_name(attachment) or "attachment",), "SIZE": (str(size),)}
    return line_text("ATTACH", address, params)


def _name(attachment: AttachmentContent) -> str:
    return text(attachment.props, pt.PR_ATTACH_LONG_FILENAME) or text(attachment.props, pt.PR_ATTACH_FILENAME)


def _attach_line(attachment: AttachmentContent, data: bytes) -> str:
    params = {"FMTTYPE": (text(attachment.props, pt.PR_ATTACH_MIME_TAG) or _UNTYPED,)}
    params |= {"VALUE": ("BINARY",), "ENCODING": ("BASE64",)}
    name = _name(attachment)
    if name:
        params["X-FILENAME"] = (name,)
    return line_text("ATTACH", b64encode(data).decode("ascii"), params)


def managed_id(props: Mapping[Any, Any]) -> str:
    """The MANAGED-ID of an attachment, "" when it has none: its PR_RECORD_KEY in hexadecimal."""
    key = props.get(pt.PR_RECORD_KEY)
    return key.hex() if isinstance(key, bytes) else ""


def managed_ids(content: MessageContent) -> set[str]:
    """The MANAGED-IDs of the attachments of an item and of the messages in it."""
    inner = (each.embedded for each in content.attachments if each.embedded is not None)
    found = {managed_id(each.props) for each in content.attachments}
    return found.union(*map(managed_ids, inner)) - {""}


def read_files(component: Component, content: MessageContent, options: Options) -> None:
    """Add the files of a component that the item does not have yet, those in it and those it names."""
    present: set[tuple[str, object]] = {
        (text(each.props, pt.PR_ATTACH_LONG_FILENAME), each.data)
        for each in content.attachments
        if isinstance(each.data, bytes)
    }
    own = {managed_id(each.props) for each in content.attachments}
    for line in component.all("ATTACH"):
        key = line.param("MANAGED-ID")
        if key and key in own:
            continue
        named = options.attached(line) if key and options.attached is not None else None
        found = named or _file(line)
        if found is None or len(content.attachments) >= MAX_FILES:
            continue
        file = text(found.props, pt.PR_ATTACH_LONG_FILENAME), found.data
        if named is not None or file not in present:
            present.add(file)
            own.add(managed_id(found.props))
            content.attachments.append(found)


def _file(line: Line) -> AttachmentContent | None:
    if line.param("VALUE").upper() != "BINARY" and line.param("ENCODING").upper() != "BASE64":
        return None
    try:
        data = b64decode("".join(line.value.split()), validate=True)
    except ValueError:
        return None
    name = next((line.param(each) for each in _NAMES if line.param(each)), "attachment")
    name = name.replace("\\", "/").rpartition("/")[2] or "attachment"
    kind = line.param("FMTTYPE").lower() or _UNTYPED
    props: NamedProps = {
        pt.PR_ATTACH_METHOD: BY_VALUE,
        pt.PR_ATTACH_LONG_FILENAME: name,
        pt.PR_DISPLAY_NAME: name,
        pt.PR_ATTACH_MIME_TAG: kind,
        pt.PR_RENDERING_POSITION: _NOT_POSITIONED,
    }
    if "." in name.strip("."):
        props[pt.PR_ATTACH_EXTENSION] = "." + name.rpartition(".")[2]
    return AttachmentContent(props, data)
