"""Conversions between Internet formats and MAPI content: pure functions, no I/O, no clock."""
