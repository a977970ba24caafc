"""The SOAP dialect of Kopano's store, declared once for both ends (pure: no Twisted, no I/O)."""
