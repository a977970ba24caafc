"""The IMAP grammar, both ways: bytes in, commands out; values in, responses out.

Pure: no Twisted, no I/O, no clock. `reader` cuts the byte stream into commands, `parser` gives each its value
(`commands`), the `write_*` modules render what the server says. Sections cited are of RFC 9051 unless named.
"""
