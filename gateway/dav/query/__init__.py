"""What REPORTs ask of items: filters, time ranges, and which part of an item is told (RFC 4791 9, RFC 6352 10)."""
