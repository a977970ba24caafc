"""A client of MAPI stores over SOAP: connections, sessions and the objects behind them (Twisted)."""
