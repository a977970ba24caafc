"""What a converter raises when its input is not what it claims to be."""

from __future__ import annotations


class ParseError(ValueError):
    """The input is malformed beyond repair, or exceeds a limit; the text says what and where."""


class OrganizersOnly(ParseError):
    """A guest's text changes what only the organizer of a meeting may change (RFC 6638 3.2.2.1)."""
