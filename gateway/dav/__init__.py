"""CalDAV and CardDAV (RFC 4791, RFC 6352): folders of a store as calendars and address books."""
