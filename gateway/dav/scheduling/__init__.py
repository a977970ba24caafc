"""Scheduling (RFC 6638): invitations, answers and cancellations that the server sends and takes for its users."""
