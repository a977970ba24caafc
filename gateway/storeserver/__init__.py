"""The embedded store: a small MAPI store server that speaks Kopano's SOAP dialect."""
