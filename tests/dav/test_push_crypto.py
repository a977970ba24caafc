"""What push messages are made of: encryption, the gateway's key, and the registrations on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateway.dav.push import registrations
from gateway.dav.push.encryption import LARGEST, encrypted
from gateway.dav.push.keys import FILE, bytes_of, load_key, text_of
from gateway.dav.push.registrations import Full, Registrations, Subscription, expiry


def test_the_example_of_rfc_8291() -> None:
    """Section 5, with the values of appendix A."""
    server = int.from_bytes(bytes_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    found = encrypted(
        b"When I grow up, I want to be a watermelon",
        bytes_of("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        bytes_of("BTBZMqHH6r4Tts7J_aSIgg"),
        key=ec.derive_private_key(server, ec.SECP256R1()),
        salt=bytes_of("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert text_of(found) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK"
        "6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_message_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        encrypted(b"x" * (LARGEST + 1), b"", b"")


def test_the_authorization_is_a_signed_token_for_the_service_alone(tmp_path: Path) -> None:
    """RFC 8292 2 and 3."""
    key = load_key(tmp_path, "mailto:a@example.com")
    scheme, token, own = key.authorization("https://push.example.com:8443/a/b?c", 1000.0).split(" ")
    assert (scheme, own) == ("vapid", f"k={key.public}")
    signed, _, signature = token.removeprefix("t=").removesuffix(",").rpartition(".")
    head, claims = (json.loads(bytes_of(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    assert claims == {
        "aud": "https://push.example.com:8443",
        "exp": 1000 + 12 * 3600,
        "sub": "mailto:a@example.com",
    }
    data = bytes_of(signature)
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes_of(key.public))
    numbers = (int.from_bytes(half, "big") for half in (data[:32], data[32:]))
    point.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256()))


def test_a_token_is_used_again_for_some_hours(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    first = key.authorization("https://a.example/1", 0.0)
    assert key.authorization("https://a.example/2", 3600.0) == first
    assert key.authorization("https://a.example/1", 7 * 3600.0) != first
    assert key.authorization("https://b.example/1", 0.0) != first


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    first, again = load_key(tmp_path), load_key(tmp_path)
    assert first.public == again.public
    assert first.topic(b"folder") == again.topic(b"folder") != first.topic(b"other")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_a_file_that_is_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        load_key(tmp_path)


SUBSCRIPTION = Subscription("https://push.example.com/1", b"key", b"auth")


def test_registrations_are_there_after_a_restart(tmp_path: Path) -> None:
    before = Registrations(tmp_path)
    made, _ = before.put("ann", b"folder", "topic", SUBSCRIPTION, 2000, "token")
    before.put("bob", b"folder", "topic", SUBSCRIPTION, 1000, "token")
    before.told(made, "newer")
    before.close()
    after = Registrations(tmp_path)
    assert [each.user for each in after.expire(1000)] == ["bob"]
    [found] = after.of("ann")
    assert (found.id, found.folder, found.subscription, found.told) == (
        made.id,
        b"folder",
        SUBSCRIPTION,
        "newer",
    )
    assert after.users() == ["ann"]
    after.remove([found])
    after.close()
    last = Registrations(tmp_path)
    assert last.users() == []
    last.close()


def test_a_user_cannot_have_any_number(tmp_path: Path) -> None:
    known = Registrations(tmp_path)
    for number in range(registrations.PER_USER):
        known.put("ann", str(number).encode(), "", SUBSCRIPTION, 1, "")
    with pytest.raises(Full):
        known.put("ann", b"more", "", SUBSCRIPTION, 1, "")
    assert not known.put("ann", b"7", "", SUBSCRIPTION, 2, "")[1]
    assert known.put("bob", b"7", "", SUBSCRIPTION, 2, "")[1]
    known.close()


@pytest.mark.parametrize(
    ("wanted", "lasts"),
    [(None, 604_800), (1000.0 + 86_400, 86_400), (1e12, 604_800), (5.0, 60)],
    ids=["no wish", "a day", "too late", "past"],
)
def test_when_a_registration_ends(wanted: float | None, lasts: int) -> None:
    assert expiry(wanted, 1000.0) == 1000 + lasts
