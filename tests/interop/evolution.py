"""Evolution's data server, driven by its own library: ``python3 evolution.py KIND USER < STEPS``.

Runs with Debian's own Python, which has the library. KIND is ``events``, ``tasks`` or ``contacts``; the source with the id
"remote" was written before. STEPS is JSON: ``["add", TEXT]``, ``["change", UID, FROM, TO]``, ``["remove", UID]``,
``["until", TEXT]``, ``["until-gone", TEXT]``. What it has at the end is written as JSON, UID to text.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback

import gi

for name, version in (("ECal", "2.0"), ("EBook", "1.2"), ("EDataServer", "1.2")):
    gi.require_version(name, version)
from gi.repository import EBook, EBookContacts, ECal, EDataServer, GLib, ICalGLib  # noqa: E402

_PATIENCE = 100


class Calendar:
    """A calendar or task list."""

    def __init__(self, source, kind):
        kinds = {"events": ECal.ClientSourceType.EVENTS, "tasks": ECal.ClientSourceType.TASKS}
        self._client = ECal.Client.connect_sync(source, kinds[kind], 10, None)
        self.refresh = lambda: self._client.refresh_sync(None)

    def items(self):
        _, found = self._client.get_object_list_sync("#t", None)
        return {each.get_uid(): each.as_ical_string() for each in found}

    def add(self, text):
        self._client.create_object_sync(
            ICalGLib.Component.new_from_string(text), ECal.OperationFlags.NONE, None
        )

    def change(self, uid, before, after):
        text = self.items()[uid].replace(before, after)
        component = ICalGLib.Component.new_from_string(text)
        self._client.modify_object_sync(component, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)

    def remove(self, uid):
        self._client.remove_object_sync(uid, None, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)


class Contacts:
    """An address book."""

    def __init__(self, source, kind):
        self._client = EBook.BookClient.connect_sync(source, 10, None)
        self.refresh = lambda: self._client.refresh_sync(None)

    def items(self):
        _, found = self._client.get_contacts_sync('(contains "x-evolution-any-field" "")', None)
        return {each.get_property("id"): each.to_string(EBookContacts.VCardFormat(1)) for each in found}

    def add(self, text):
        contact = EBookContacts.Contact.new_from_vcard(text)
        self._client.add_contact_sync(contact, EBookContacts.BookOperationFlags.NONE, None)

    def change(self, uid, before, after):
        _, contact = self._client.get_contact_sync(uid, None)
        text = contact.to_string(EBookContacts.VCardFormat(1)).replace(before, after)
        changed = EBookContacts.Contact.new_from_vcard(text)
        self._client.modify_contact_sync(changed, EBookContacts.BookOperationFlags.NONE, None)

    def remove(self, uid):
        self._client.remove_contact_by_uid_sync(uid, EBookContacts.BookOperationFlags.NONE, None)


def until(done, what):
    """Look again and again: the data server does much of its work after it has answered."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what}")
        time.sleep(0.02)


def refreshed(client, wanted, there):
    """Refresh until it shows: the data server forgets to when it is asked while it is still logging in."""
    asked = float("-inf")

    def shows():
        nonlocal asked
        if time.monotonic() - asked > 2:
            client.refresh()
            asked = time.monotonic()
        return (wanted in "".join(client.items().values())) is there

    until(shows, f"{wanted!r} there: {there}")


def work(source, kind, steps, login):
    client = (Contacts if kind == "contacts" else Calendar)(source, kind)
    # With a cache it does not log in until it has to, and keeps changes back until it has.
    client.refresh()
    if not login.wait(_PATIENCE):
        raise AssertionError("never asked for the password")
    connected = EDataServer.SourceConnectionStatus.CONNECTED
    until(lambda: source.get_connection_status() == connected, "connected")
    for verb, *arguments in steps:
        if verb in ("until", "until-gone"):
            refreshed(client, arguments[0], verb == "until")
        else:
            getattr(client, verb)(*arguments)
    return client.items()


def main():
    kind, user = sys.argv[1:]
    steps = json.load(sys.stdin)
    registry = EDataServer.SourceRegistry.new_sync(None)  # signals end with it
    source = registry.ref_source("remote")
    login = EDataServer.NamedParameters.new()
    login.set("username", user)
    login.set("password", user)
    logged_in = threading.Event()

    def log_in(*_):
        source.invoke_authenticate_sync(login, None)
        logged_in.set()

    source.connect("credentials-required", log_in)
    loop = GLib.MainLoop()
    ended = []

    def run():
        try:
            ended.append(work(source, kind, steps, logged_in))
        except Exception:
            traceback.print_exc()
        finally:
            loop.quit()

    threading.Thread(target=run, daemon=True).start()
    loop.run()
    if not ended:
        sys.exit(1)
    json.dump(ended[0], sys.stdout)


main()
