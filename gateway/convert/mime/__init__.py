"""Internet mail and MAPI content: RFC 5322 and MIME read into properties, and written from them.

Reading: `scan` gives the structure of a message without copying it; `envelope`, `body`, `bodystructure`,
`span`, `section`, `header_fields` and `binary` answer from it what IMAP asks.
"""

from gateway.convert.mime.bodystructure import body, bodystructure
from gateway.convert.mime.envelope import envelope
from gateway.convert.mime.searchtext import body_text, header_text, header_values, preview
from gateway.convert.mime.sections import binary, header_fields, part_at, section, span
from gateway.convert.mime.structure import Limits, Part, normalised, scan
from gateway.convert.mime.transfer import UnknownEncoding

__all__ = [
    "Limits",
    "Part",
    "UnknownEncoding",
    "binary",
    "body",
    "body_text",
    "bodystructure",
    "envelope",
    "header_fields",
    "header_text",
    "header_values",
    "normalised",
    "part_at",
    "preview",
    "scan",
    "section",
    "span",
]
