"""The IMAP4 head (RFC 3501, RFC 9051)."""
