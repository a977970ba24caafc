"""Promises about every mail: generated ones, and bytes that are none."""

import email
from base64 import encodebytes
from quopri import encodestring

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.convert.mime import scan
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from tests.convert.mime import promises
from tests.convert.mime.samples import S1

WORDS = st.sampled_from(
    [
        b"Content-Type: ", b"Content-Transfer-Encoding: ", b"Content-Disposition: ", b"From: ", b"To: ", b"Subject: ",
        b"Date: ", b"References: ", b"Content-ID: ", b"Keywords: ", b"Thread-Index: ", b"\r\n", b"\n", b"\r", b"\r\n\r\n",
        b" ", b"\t", b"--b", b"--b--", b"--c", b"multipart/mixed; boundary=b", b"multipart/alternative; boundary=c",
        b"multipart/related; boundary=b", b"multipart/digest; boundary=b", b"multipart/report; boundary=b",
        b"multipart/signed; protocol=application/pkcs7-signature; boundary=b", b"multipart/appledouble; boundary=b",
        b"message/rfc822", b"message/delivery-status", b"message/disposition-notification", b"application/pkcs7-mime",
        b"application/ms-tnef", b"text/plain", b"text/html", b"text/calendar", b"; charset=", b"utf-8", b"utf-7",
        b"x-foo", b"utf-16", b"base64", b"quoted-printable", b"x-uuencode", b"begin 644 f", b"attachment",
        b"; filename*0*=utf-8''%", b'; filename="', b"=?utf-8?Q?=E4?=", b"=?utf-8?B?w6Q", b"<a@x>", b'"', b"(", b";", b":",
        b",", b"<", b">", b"@", b"=", b"\0", b"\xe9", b"\xff", b"cid:a", b"Action: failed", b"Disposition: x; displayed",
    ]
)  # fmt: skip
BROKEN = st.lists(WORDS, max_size=60).map(b"".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BROKEN | st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    promises.check(data)


@settings(deadline=None)
@given(st.integers(0, len(S1)), st.integers(0, len(S1)), st.binary(max_size=8))
def test_damage(begin: int, end: int, replacement: bytes) -> None:
    promises.check(S1[:begin] + replacement + S1[end:])


class Tokens:
    """Texts that occur only once."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def next(self) -> str:
        self.given.append(f"token{len(self.given):04d}end")
        return self.given[-1]


KINDS = (
    "text/plain",
    "text/html",
    "text/plain; charset=utf-8",
    "image/png",
    "application/pdf",
    "text/enriched",
    "text/calendar",
    "message/partial",
)
SUBTYPES = ("mixed", "alternative", "related", "parallel", "x-unknown")
LEAVES = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(("7bit", "base64", "quoted-printable", "x-unknown")),
    st.sampled_from(("", "inline", "attachment")),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(st.sampled_from(SUBTYPES), st.lists(inner, min_size=1, max_size=4))
        | st.tuples(st.just("rfc822"), inner)
    ),
    max_leaves=8,
)


def rendered(tree: tuple[object, ...], tokens: Tokens, level: int = 0) -> bytes:
    """A part as bytes, a token in each leaf."""
    if len(tree) == 3:
        kind, encoding, disposition = (str(each) for each in tree)
        data = f"{tokens.next()}\r\n".encode()
        if encoding == "base64":
            data = encodebytes(data)
        elif encoding == "quoted-printable":
            data = encodestring(data)
        fields = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}"]
        fields += [f"Content-Disposition: {disposition}"] if disposition else []
        return "\r\n".join([*fields, "", ""]).encode() + data
    if tree[0] == "rfc822":
        return b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n" + rendered(tree[1], tokens, level + 1)  # type: ignore[arg-type]
    mark = f"--boundary{level}".encode()
    parts = b"".join(mark + b"\r\n" + rendered(child, tokens, level + 1) + b"\r\n" for child in tree[1])  # type: ignore[attr-defined]
    return (
        f"Content-Type: multipart/{tree[0]}; boundary=boundary{level}\r\n\r\n".encode()
        + parts
        + mark
        + b"--\r\n"
    )


def everything(content: MessageContent) -> str:
    """All that is said anywhere in a message, visible or not."""
    said = [
        str(content.props.get(pr.PR_BODY, "")),
        bytes(content.props.get(pr.PR_HTML, b"")).decode("utf-8", "replace"),
    ]
    for attachment in content.attachments:
        if attachment.embedded is not None:
            said.append(everything(attachment.embedded))
        elif isinstance(attachment.data, bytes):
            said.append(attachment.data.decode("latin-1"))
    return "\n".join(said)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_nothing_is_lost(tree: tuple[object, ...]) -> None:
    tokens = Tokens()
    data = b"Subject: outer\r\n" + rendered(tree, tokens)
    said = everything(promises.check(data))
    # What is in an encoding nobody knows is there as bytes.
    assert [token for token in tokens.given if token not in said] == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_the_standard_library_finds_the_same_leaves(tree: tuple[object, ...]) -> None:
    data = rendered(tree, Tokens())
    ours = [part.body_bytes for part in scan(data).walk() if not part.children and part.message is None]
    theirs = [
        str(part.get_payload()).encode()
        for part in email.message_from_bytes(data).walk()
        if not part.is_multipart()
    ]
    assert ours == theirs
