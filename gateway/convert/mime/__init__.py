"""Internet mail and MAPI content: RFC 5322 and MIME read into properties, and written from them.

Structure: `scan` gives the parts of a message without copying it; `envelope`, `body`, `bodystructure`,
`span`, `section`, `header_fields`, `binary` and `preview` answer from it what IMAP asks.
Content: `from_mime` and `to_mime`; `original_properties` is what keeps the original bytes beside the content.
"""

from gateway.convert.mime.bodystructure import body, bodystructure
from gateway.convert.mime.envelope import envelope
from gateway.convert.mime.frommime import CalendarContent, FromMimeOptions, from_mime
from gateway.convert.mime.original import ORIGINAL, original_properties
from gateway.convert.mime.searchtext import body_text, header_text, header_values, preview
from gateway.convert.mime.sections import binary, header_fields, part_at, section, span
from gateway.convert.mime.structure import Limits, Part, normalised, scan
from gateway.convert.mime.tomime import ContentChanged, Mime, ToMimeOptions, to_mime
from gateway.convert.mime.transfer import UnknownEncoding

__all__ = [
    "ORIGINAL",
    "CalendarContent",
    "ContentChanged",
    "FromMimeOptions",
    "Limits",
    "Mime",
    "Part",
    "ToMimeOptions",
    "UnknownEncoding",
    "binary",
    "body",
    "body_text",
    "bodystructure",
    "envelope",
    "from_mime",
    "header_fields",
    "header_text",
    "header_values",
    "normalised",
    "original_properties",
    "part_at",
    "preview",
    "scan",
    "section",
    "span",
    "to_mime",
]
