"""Message classes that the Content-Class field asks for (MS-OXCMAIL 2.2.3.2.23)."""

from __future__ import annotations

import re
from typing import Final

from gateway.convert.mime.structure import Part

DEFAULT_CLASS: Final = "IPM.Note"
_CLASSES: Final = {
    "fax": "IPM.Note.Microsoft.Fax",
    "fax-ca": "IPM.Note.Microsoft.Fax.CA",
    "missedcall": "IPM.Note.Microsoft.Missed.Voice",
    "voice-uc": "IPM.Note.Microsoft.Conversation.Voice",
    "voice-ca": "IPM.Note.Microsoft.Voicemail.UM.CA",
    "voice": "IPM.Note.Microsoft.Voicemail.UM",
}
_CUSTOM: Final = re.compile(r"urn:content-class:custom\.([\w.-]{1,200})", re.IGNORECASE)
_INFOPATH: Final = re.compile(r"InfoPathForm\.([\w-]{1,100}\.[\w.-]{1,100})", re.IGNORECASE)


def class_by_content_class(message: Part) -> str:
    """The class of a message that nothing else gives one."""
    value = (message.header(b"content-class") or b"").decode("latin-1")
    if custom := _CUSTOM.fullmatch(value):
        return f"IPM.Note.Custom.{custom[1]}"
    if form := _INFOPATH.fullmatch(value):
        return f"IPM.InfoPathForm.{form[1]}"
    return _CLASSES.get(value.lower(), DEFAULT_CLASS)
