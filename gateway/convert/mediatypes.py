"""Media types by file name extension and back: a table of our own, so that every gateway gives the same answer.

The operating system's table and Python's change with versions; bytes of generated mail must not.
"""

from __future__ import annotations

from typing import Final

OCTETS: Final = "application/octet-stream"
_TABLE: Final = """
application/gzip gz
application/javascript js
application/json json
application/msword doc dot
application/octet-stream bin
application/pdf pdf
application/pgp-keys asc
application/pgp-signature sig
application/pkcs10 p10
application/pkcs7-mime p7m p7c
application/pkcs7-signature p7s
application/postscript ps ai eps
application/rtf rtf
application/vnd.ms-excel xls xlt
application/vnd.ms-outlook msg
application/vnd.ms-powerpoint ppt pps pot
application/vnd.ms-project mpp
application/vnd.oasis.opendocument.graphics odg
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.visio vsd
application/wasm wasm
application/x-7z-compressed 7z
application/x-bzip2 bz2
application/x-iso9660-image iso
application/x-msdownload exe dll
application/x-rar-compressed rar
application/x-sh sh
application/x-tar tar
application/x-x509-ca-cert crt cer der
application/x-xz xz
application/xhtml+xml xhtml
application/xml xml xsl
application/zip zip
audio/aac aac
audio/flac flac
audio/midi mid midi
audio/mp4 m4a
audio/mpeg mp3
audio/ogg ogg oga opus
audio/x-wav wav
font/otf otf
font/ttf ttf
font/woff woff
font/woff2 woff2
image/avif avif
image/bmp bmp
image/emf emf
image/gif gif
image/heic heic
image/jpeg jpg jpeg jpe
image/png png
image/svg+xml svg
image/tiff tif tiff
image/webp webp
image/wmf wmf
image/x-icon ico
message/rfc822 eml
text/calendar ics
text/css css
text/csv csv
text/html html htm
text/markdown md
text/plain txt text log
text/tab-separated-values tsv
text/vcard vcf
video/mp4 mp4 m4v
video/mpeg mpg mpeg
video/quicktime mov qt
video/webm webm
video/x-matroska mkv
video/x-ms-wmv wmv
video/x-msvideo avi
"""
_LINES: Final = [line.split() for line in _TABLE.split("\n") if line]
_BY_EXTENSION: Final = {extension: line[0] for line in _LINES for extension in line[1:]}
_EXTENSIONS: Final = {line[0]: f".{line[1]}" for line in _LINES}


def type_of_name(name: str) -> str | None:
    """The media type that a file name's extension tells, or None."""
    return _BY_EXTENSION.get(name.rpartition(".")[2].lower()) if "." in name else None


def extension_of(media_type: str) -> str:
    """The usual extension of a media type with its dot, ``.bin`` when it has none."""
    return _EXTENSIONS.get(media_type.lower(), ".bin")
