"""The server side of SMTP and LMTP, shared by delivery and submission: pure codec, session, Twisted protocol."""
