"""Content lines: what was written is read, whatever it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert import lines
from gateway.convert.errors import ParseError
from gateway.convert.lines import Component, Line

names = st.from_regex(r"[A-Z][A-Z0-9-]{0,10}", fullmatch=True).filter(lambda n: n not in ("BEGIN", "END"))
plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SUMMARY:Lunch", Line("SUMMARY", "Lunch")),
        ("summary:Lunch", Line("SUMMARY", "Lunch")),
        ("item1.EMAIL;type=WORK:a@b", Line("EMAIL", "a@b", {"TYPE": ("WORK",)}, "item1")),
        ("X;A=1,2;A=3:v", Line("X", "v", {"A": ("1", "2", "3")})),
        ('ATTENDEE;CN="Doe; John: x":mailto:j@x', Line("ATTENDEE", "mailto:j@x", {"CN": ("Doe; John: x",)})),
        ("X;CN=a^'b^n^^c:v", Line("X", "v", {"CN": ('a"b\n^c',)})),
        ("TEL;HOME;VOICE:1", Line("TEL", "1", {"TYPE": ("HOME", "VOICE")})),
        ("X:a:b", Line("X", "a:b")),
    ],
)
def test_a_line(line: str, expected: Line) -> None:
    assert lines.parse_line(line) == expected


@pytest.mark.parametrize("line", ["no colon", ";X=1:v", 'X;A="open:v', ":v"])
def test_a_broken_line_is_refused(line: str) -> None:
    with pytest.raises(ParseError):
        lines.parse_line(line)


@pytest.mark.parametrize(
    "data",
    [
        b"BEGIN:VCARD\r\nFN:J\xc3\r\n \xb6rg\r\nEND:VCARD\r\n",
        b"\xef\xbb\xbfBEGIN:VCARD\nFN:J\xc3\xb6\n\trg\nEND:VCARD",
        b"BEGIN:vcard\r\n\r\nfn:J\xc3\xb6rg\r\nEND:vcard\r\n",
    ],
)
def test_ce30_ce31_folding_line_ends_and_byte_order_marks(data: bytes) -> None:
    (card,) = lines.parse(data)
    assert card.text("FN") == "Jörg"


def test_components_nest() -> None:
    (calendar,) = lines.parse("BEGIN:VCALENDAR\nA:1\nBEGIN:VEVENT\nB:2\nEND:VEVENT\nC:3\nEND:VCALENDAR\n")
    assert [line.name for line in calendar.lines] == ["A", "C"]
    assert [child.name for child in calendar.components("VEVENT")] == ["VEVENT"]


@pytest.mark.parametrize("text", ["END:X\n", "BEGIN:X\nEND:Y\n", "BEGIN:X\n" * 20])
def test_broken_nesting_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        lines.parse(text)


def test_an_unclosed_component_ends_with_the_text() -> None:
    assert lines.parse("BEGIN:VCARD\nFN:x") == [Component("VCARD", [Line("FN", "x")])]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=200))
def test_any_text_survives_escaping(text: str) -> None:
    assert lines.unescape(lines.escape(text)) == text


@given(st.lists(plain, min_size=1, max_size=5))
def test_a_list_of_texts_comes_back(values: list[str]) -> None:
    for separator in ",;":
        assert lines.texts(separator.join(map(lines.escape, values)), separator) == values


@given(st.lists(st.tuples(names, plain, st.dictionaries(names, st.tuples(plain.map(str.strip)), max_size=2))))
def test_a_component_comes_back(properties: list[tuple[str, str, dict[str, tuple[str]]]]) -> None:
    component = Component("VEVENT", [Line(name, value, params) for name, value, params in properties])
    data = lines.write(component)
    assert lines.parse(data) == [component]
    assert max(map(len, data.split(b"\r\n"))) <= 75


@given(st.binary(max_size=300))
def test_any_bytes_are_components_or_refused(data: bytes) -> None:
    try:
        found = lines.parse(data)
    except ParseError:
        return
    for component in found:
        lines.parse(lines.write(component))


def test_control_characters_are_not_written() -> None:
    assert lines.write_line("X", lines.escape("a\x01b\x00"), {"CN": ("c\x02",)}) == b"X;CN=c:ab\r\n"
