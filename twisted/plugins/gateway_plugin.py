"""The commands ``twistd gateway`` and ``twistd gateway-store``. Every user of twistd imports this file: keep it small."""

from twisted.application.service import ServiceMaker

gateway = ServiceMaker(  # type: ignore[no-untyped-call]
    "MAPI gateway",
    "gateway.service",
    "IMAP, POP3, CalDAV, CardDAV, LMTP and submission in front of a MAPI store.",
    "gateway",
)
store = ServiceMaker(  # type: ignore[no-untyped-call]
    "MAPI store", "gateway.storecommand", "A small MAPI store server.", "gateway-store"
)
