"""iCalendar and MAPI calendar objects, both ways (RFC 5545, MS-OXCICAL, MS-OXOCAL)."""
