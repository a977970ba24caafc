"""TNEF, the form in which Exchange and Outlook send a message's properties through Internet mail (winmail.dat)."""

from gateway.convert.tnef.reader import from_tnef as from_tnef
