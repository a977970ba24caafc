"""What requests ask of push: registering, renewing and ending, and writing without being told of it (draft sections 3, 4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate, parsedate_to_datetime
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from twisted.internet.threads import blockingCallFromThread

from gateway.dav import hrefs, tokens, xmlbody
from gateway.dav.asked import Asked
from gateway.dav.errors import Answer, Refused
from gateway.dav.places import Place
from gateway.dav.push.encryption import AUTH_LENGTH, public_key
from gateway.dav.push.endpoints import Forbidden, check_url
from gateway.dav.push.keys import bytes_of
from gateway.dav.push.registrations import Full, Subscription
from gateway.dav.push.service import Push
from gateway.dav.scope import RequestScope

NAMESPACE: Final = "https://bitfire.at/webdav-push"
P: Final = f"{{{NAMESPACE}}}"
#: Below a user's principal: where registrations are, by their ids.
NAME: Final = "webdav-push"
DONT_NOTIFY: Final = "push-dont-notify"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_INVALID: Final = "P:invalid-subscription"
#: Names of the client's key, the older one last.
_KEYS: Final = (f"{P}subscription-public-key", f"{P}client-public-key")


def can_push(place: Place | None) -> bool:
    """Whether changes of a collection are told: of folders, not of the address book or of scheduling's mailboxes."""
    return place is not None and place.home is not None and not place.kind.is_mailbox and place.readable


def post(scope: RequestScope, asked: Asked, path: str) -> Answer | None:
    """POST push-register; None for what is no such request (Refused)."""
    push, parts = scope.shared.push, hrefs.split_path(path)
    root = xmlbody.parse(asked.body) if push is not None and b"push-register" in asked.body else None
    if push is None or root is None or root.tag != f"{P}push-register":
        return None
    place = scope.place(parts[0], parts[1]) if len(parts) == 2 else None
    if place is None or not can_push(place):
        raise Refused(403, "P:push-not-available", "changes are told of calendars and address books")
    subscription = _subscription(push, root)
    if root.find(f"{P}trigger/{P}content-update") is None:
        raise Refused(403, "P:no-supported-trigger", "only content-update is told")
    token = tokens.write(place.source_key, scope.listing(place).position)
    topic, wanted = push.key.topic(place.source_key), _expires(root)
    try:
        found, is_new = scope.wait(
            lambda: push.register(scope.session, place.source_key, topic, subscription, wanted, token)
        )
    except Full:
        raise Refused(403, "P:push-not-available", "there are too many registrations") from None
    location = f"{asked.base_url}/{quote(scope.user)}/{NAME}/{found.id}"
    headers = {"Location": location, "Expires": formatdate(found.expires, usegmt=True)}
    return Answer(201 if is_new else 204, headers)


def _subscription(push: Push, root: ET.Element) -> Subscription:
    """The web-push-subscription of a request (Refused)."""
    found = root.findall(f"{P}subscription/{P}web-push-subscription")
    if len(found) != 1 or len(found[0].findall(f"{P}push-resource")) != 1:
        raise Refused(403, _INVALID, "one web-push-subscription with one push-resource is needed")
    encoding = found[0].findtext(f"{P}content-encoding", "aes128gcm").strip()
    secret = found[0].findtext(f"{P}auth-secret", "")
    text = next((text for tag in _KEYS if (text := found[0].findtext(tag))), "")
    if encoding != "aes128gcm" or not text or not secret:
        raise Refused(403, _INVALID, "messages are encrypted as aes128gcm: key and auth-secret are needed")
    try:
        url = check_url(found[0].findtext(f"{P}push-resource", "").strip(), private=push.allows_private)
        key, auth = bytes_of(text), bytes_of(secret)
        public_key(key)
    except Forbidden as error:
        raise Refused(403, _INVALID, str(error)) from error
    except ValueError as error:
        raise Refused(403, _INVALID, "the key is none of P-256, in base64url") from error
    if len(auth) != AUTH_LENGTH:
        raise Refused(403, _INVALID, f"auth-secret is {AUTH_LENGTH} bytes long")
    return Subscription(url, key, auth)


def _expires(root: ET.Element) -> float | None:
    """The end that the client wishes; what is no date counts as none."""
    try:
        return parsedate_to_datetime(root.findtext(f"{P}expires", "").strip()).timestamp()
    except (ValueError, OverflowError):
        return None


def delete(scope: RequestScope, path: str) -> Answer | None:
    """DELETE of a registration; None for what is no address of one."""
    push, parts = scope.shared.push, hrefs.split_path(path)
    if push is None or len(parts) != 3 or parts[1] != NAME or not _ID.fullmatch(parts[2]):
        return None
    ended = parts[0] == scope.user and scope.wait(lambda: push.remove(scope.user, parts[2]))
    if not ended:
        raise Refused(404, "", "there is no such registration (any more)")
    return Answer(204)


class Quiet:
    """A request whose client does not want to be told of it. ``succeeded`` is set when it has written."""

    succeeded = False


@contextmanager
def quiet(scope: RequestScope, asked: Asked, path: str) -> Iterator[Quiet]:
    """Do not tell the user's registrations that Push-Dont-Notify names of what the request writes."""
    state, push, header = Quiet(), scope.shared.push, asked.header(DONT_NOTIFY)
    items = {path, hrefs.path_of(asked.header("destination"))}
    written = {parts[2] for each in items if len(parts := hrefs.split_path(each)) >= 3}
    names = _named(header)
    if push is None or not written or names == []:
        yield state
        return
    reactor = scope.shared.reactor
    held: list[str] = blockingCallFromThread(reactor, push.hold, scope.user, names)
    try:
        yield state
    finally:
        reactor.callFromThread(push.release, scope.user, held, written if state.succeeded else set())


def _named(header: str) -> list[str] | None:
    """The ids in a list of quoted addresses of registrations, None for all."""
    if header.strip() == "*":
        return None
    found = [each.strip().strip('"').rpartition("/")[2] for each in header.split(",")]
    return [each for each in found if _ID.fullmatch(each)]
