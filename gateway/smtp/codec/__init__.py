"""Octets to commands and mail data, replies to octets (RFC 5321, 2033, 3030). Pure: no Twisted, no I/O, no clock."""
