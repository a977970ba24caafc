"""Delivery: any MTA hands mail over by LMTP (RFC 2033), and it is in the store when the reply says so."""
