"""Cards as bytes: encodings, limits, and that no input raises anything but ParseError."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.convert.vcard import MAX_CARD, ParseError, TooLarge, from_vcard, to_vcard
from gateway.convert.vcard.card import read_card
from gateway.convert.vcard.fields import VCARD_RETAINED
from gateway.convert.vcard.kept import MAX_RETAINED, Kept, Retained
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from tests.convert.vcard.cards import BERLIN, address, card, lines_of, read, written


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", card() + card(), b"BEGIN:VCARD\r\n???\r\nEND:VCARD\r\n",
     b"BEGIN:VCARD\r\nN:x\r\nEND:OTHER\r\n", card("PHOTO;ENCODING=b:!!!!a"), card("X:1") .replace(b"X:1", b"X")],
)  # fmt: skip
def test_what_is_no_card(data: bytes) -> None:
    with pytest.raises(ParseError):
        from_vcard(data)


def test_limits() -> None:
    with pytest.raises(TooLarge):
        from_vcard(card(f"NOTE:{'x' * MAX_CARD}"))
    with pytest.raises(ParseError, match="properties"):
        from_vcard(card(*["X-A:1"] * 6000))
    with pytest.raises(ParseError, match="UID"):
        from_vcard(card(uid="x" * 5000))


def test_what_is_kept_is_bounded() -> None:
    found = read("X-SMALL:1", f"X-LARGE:{'x' * (MAX_RETAINED + 1)}")
    assert len(found.props[VCARD_RETAINED]) < MAX_RETAINED
    assert lines_of(found, "X-SMALL") == ["X-SMALL:1"]
    assert lines_of(found, "X-LARGE") == []


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"x",
        b"z",
        b"zzz",
        b"{}",
        b'{"version":"3.0","writers":[],"lines":[[1]]}',
        b"[1]",
        b'{"version":1,"writers":[],"lines":3}',
    ],
)
def test_damaged_memory_is_no_memory(blob: bytes) -> None:
    found = MessageContent(
        {pr.PR_MESSAGE_CLASS: "IPM.Contact", pr.PR_DISPLAY_NAME: "Ann", VCARD_RETAINED: blob}
    )
    assert written(found) == ["FN:Ann", "N:;;;;"]


def test_large_memory_is_packed() -> None:
    retained = Retained("3.0", [Kept("", "", "", "X-A", {"P": ("q",)}, "v" * 10_000, "w")])
    blob = retained.encoded()
    assert blob is not None
    assert len(blob) < 300
    assert Retained.of(MessageContent({VCARD_RETAINED: blob})) == retained


def test_encodings() -> None:
    assert read_card(b"\xef\xbb\xbf" + card("FN:M\u00fcller")).text("FN") == "M\u00fcller"
    latin = card("FN:Mueller").replace(b"Mueller", b"M\xfcller")
    assert read_card(latin).text("FN") == "M\u00fcller"
    marked = card("FN;CHARSET=ISO-8859-1:Mueller", version="2.1").replace(b"Mueller", b"M\xfcller")
    assert read_card(marked).text("FN") == "M\u00fcller"
    folded = card("FN:x").replace(b"FN:x", b"FN:M\xc3\r\n \xbcller")
    assert read_card(folded).text("FN") == "M\u00fcller"
    assert read_card(card("FN:a").replace(b"\r\n", b"\n")).text("FN") == "a"


def test_escapes() -> None:
    found = read(r"NOTE:a\nb\, c\; d\\e\:f", r"ORG:A\;B;C\, D")
    assert found.get(pr.PR_BODY) == "a\r\nb, c; d\\e:f"
    assert (found.get(pr.PR_COMPANY_NAME), found.get(pr.PR_DEPARTMENT_NAME)) == ("A;B", "C, D")
    fresh = from_vcard(to_vcard(found))
    assert fresh.get(pr.PR_BODY) == found.get(pr.PR_BODY)
    assert fresh.get(pr.PR_COMPANY_NAME) == "A;B"


def test_lines_are_folded_between_characters() -> None:
    data = to_vcard(read("NOTE:" + "\u20ac" * 100))
    assert max(map(len, data.split(b"\r\n"))) <= 75
    for line in data.split(b"\r\n"):
        line.decode()


def test_only_known_versions_are_written() -> None:
    with pytest.raises(ValueError, match=r"2\.1"):
        to_vcard(MessageContent(), "2.1")


NAMES = st.sampled_from(
    [
        "N",
        "FN",
        "EMAIL",
        "TEL",
        "ADR",
        "ORG",
        "BDAY",
        "ANNIVERSARY",
        "X-ABDATE",
        "PHOTO",
        "KEY",
        "NOTE",
        "URL",
        "IMPP",
        "UID",
        "CLASS",
        "GENDER",
        "CATEGORIES",
        "NICKNAME",
        "RELATED",
        "LANG",
        "MEMBER",
        "KIND",
        "X-ADDRESSBOOKSERVER-KIND",
        "X-ADDRESSBOOKSERVER-MEMBER",
        "X-ABLABEL",
        "X-FILE-AS",
        "X-Y",
        "TITLE",
        "X-MS-CHILD",
        "REV",
        "PRODID",
        "X-EVOLUTION-LIST",
    ]
)
PARAMS = st.sampled_from(
    ["", ";TYPE=HOME", ";TYPE=work,fax", ";TYPE=pref", ";PREF=1", ";ENCODING=b", ";ENCODING=QUOTED-PRINTABLE",
     ";VALUE=uri", ";VALUE=text", ";CHARSET=nonsense", ";TYPE=child;VALUE=text", ";X=^n\"q\"", ";HOME"]
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["1980-05-17", "--0517", "16000101", "99991231", "tel:+1;ext=", "mailto:a@b", "urn:uuid:x", "data:;base64,",
         "group", "TRUE", ";;;;;;;;;", "\\", "=C3=28", "AAAA", "http://x", "\0", "\ud800"]
    ),
)  # fmt: skip
LINES = st.lists(
    st.builds(lambda group, name, params, value: f"{group}{name}{params}:{value}",
              st.sampled_from(["", "item1.", "ITEM1."]), NAMES, PARAMS, VALUES),
    max_size=12,
)  # fmt: skip


def text_of(lines: list[str], version: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, LINES, st.sampled_from(["2.1", "3.0", "4.0", "x"]), st.sampled_from(["3.0", "4.0"]))
def test_any_card_is_read_or_refused_and_what_is_written_is_a_fixed_point(
    first: list[str], second: list[str], version: str, wanted: str
) -> None:
    try:
        stored = from_vcard(text_of(first, version), None, BERLIN)
        stored = from_vcard(text_of(second, version).encode("utf-8", "surrogatepass"), stored, BERLIN)
    except ParseError:
        return
    once = from_vcard(to_vcard(stored, wanted, BERLIN), stored, BERLIN)
    card = to_vcard(once, wanted, BERLIN)
    twice = from_vcard(card, once, BERLIN)
    assert to_vcard(twice, wanted, BERLIN) == card
    comparable = [
        {key: value for key, value in found.props.items() if key != VCARD_RETAINED} for found in (once, twice)
    ]
    assert comparable[0] == comparable[1]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for text in (data, b"BEGIN:VCARD\r\n" + data + b"\r\nEND:VCARD\r\n"):
        try:
            to_vcard(from_vcard(text))
        except ParseError:
            continue


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(
    st.sampled_from([value for name, value in vars(pr).items() if name.startswith("PR_") and value >> 16 in range(0x3A00, 0x3A80)]
                    + [address(n) for n in (0x8005, 0x8045, 0x8062, 0x802B, 0x8082, 0x8083)]),
    st.one_of(st.text(max_size=20), st.integers(0, 2**63 - 1), st.binary(max_size=20), st.tuples(st.text(max_size=5))),
))  # fmt: skip
def test_any_properties_give_a_card_that_can_be_read(props: dict[int, object]) -> None:
    stored = MessageContent(
        {pr.PR_MESSAGE_CLASS: "IPM.Contact", **{k: v for k, v in props.items() if fits(k, v)}}
    )
    for version in ("3.0", "4.0"):
        data = to_vcard(stored, version, BERLIN)
        assert to_vcard(from_vcard(data, stored, BERLIN), version, BERLIN)


def fits(tag: int, value: object) -> bool:
    kinds = {0x1F: str, 0x2: int, 0x3: int, 0x40: int, 0x102: bytes, 0x101F: tuple}
    return isinstance(value, kinds.get(tag & 0xFFFF, type(None)))
