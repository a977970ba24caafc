"""Sending: mail of users and of the store's outgoing queue, handed to a smarthost."""
