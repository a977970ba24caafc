"""Flags and keywords over MAPI properties, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mailbox import flags as f
from gateway.mailbox.flags import Flag
from gateway.mapi import proptags as pr
from gateway.mapi.propnames import KEYWORDS

NOW = 133_000_000_000_000_000
any_flags = st.integers(0, 63).map(Flag)


@pytest.mark.parametrize(
    ("message_flags", "status", "flag_status", "verb", "expected"),
    [
        (0, 0, 0, None, Flag.NONE),
        (1, 0, 0, None, Flag.SEEN),
        (0, 8, 0, None, Flag.DELETED),
        (0, 0, 2, None, Flag.FLAGGED),
        (0, 0, 1, None, Flag.NONE),  # completed follow-up
        (0, 0x10000, 0, None, Flag.ANSWERED),
        (0, 0, 0, 102, Flag.ANSWERED),
        (0, 0, 0, 103, Flag.ANSWERED),
        (0, 0x10000, 0, 0, Flag.NONE),  # the verb wins when it is there
        (0, 0, 0, 104, Flag.FORWARDED),
        (0, 0x10000, 0, 104, Flag.FORWARDED | Flag.ANSWERED),
        (0, 0x20000, 0, None, Flag.DRAFT),
        (8, 0, 0, None, Flag.DRAFT | Flag.UNSENT),
        (8, 0x20000, 0, None, Flag.DRAFT | Flag.UNSENT),
    ],
)
def test_reading(message_flags: int, status: int, flag_status: int, verb: int | None, expected: Flag) -> None:
    assert f.read_flags(message_flags, status, flag_status, verb) == expected


def applied(before: Flag, after: Flag) -> Flag:
    """What `read_flags` says after the writes were done on a mail that had ``before``."""
    start = f.new_message_props(before & ~Flag.DRAFT, (), NOW)
    status = start.get(pr.PR_MSG_STATUS, 0) | (f.MSGSTATUS_DRAFT if before & Flag.DRAFT else 0)
    write = f.write_flags(before, after, (), (), NOW)
    props = {**start, **write.props}
    for key in write.deleted:
        props.pop(key, None)
    read = props[pr.PR_MESSAGE_FLAGS] & 1 if write.read is None else int(write.read)
    return f.read_flags(
        read,
        status & ~write.status_mask | write.status,
        props.get(pr.PR_FLAG_STATUS, 0),
        props.get(pr.PR_LAST_VERB_EXECUTED),
    )


@given(any_flags, any_flags)
def test_writing_the_difference_gives_the_new_state(before: Flag, after: Flag) -> None:
    assert applied(before, after) == after


@given(any_flags)
def test_no_difference_writes_nothing(flags: Flag) -> None:
    write = f.write_flags(flags, flags, ("a",), ("a",), NOW)
    assert (write.read, write.status_mask, write.props, write.deleted) == (None, 0, {}, ())


@given(any_flags)
def test_a_new_mail_has_the_flags_it_was_made_with(flags: Flag) -> None:
    props = f.new_message_props(flags, (), NOW)
    found = f.read_flags(
        props[pr.PR_MESSAGE_FLAGS],
        props.get(pr.PR_MSG_STATUS, 0),
        props.get(pr.PR_FLAG_STATUS, 0),
        props.get(pr.PR_LAST_VERB_EXECUTED),
    )
    assert found & ~Flag.UNSENT == flags
    assert bool(found & Flag.UNSENT) is bool(flags & Flag.DRAFT)


@pytest.mark.parametrize(
    ("category", "keyword"),
    [
        ("Work", "Work"),
        ("Red Category", "Red_Category"),
        ("a_b", "a=5Fb"),
        ("Ärger (alt)", "=C3=84rger_=28alt=29"),
        ("50%", "50=25"),
        ("=41", "=3D41"),
    ],
)
def test_a_category_is_a_keyword_and_back(category: str, keyword: str) -> None:
    assert f.keyword_of(category) == keyword
    assert f.category_of(keyword) == category


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_category_comes_back(category: str) -> None:
    keyword = f.keyword_of(category)
    assert f.category_of(keyword) == category
    assert keyword.isascii()
    assert not set(keyword) & set(' (){%*"\\]')


def test_categories_and_marks_are_kept_apart() -> None:
    write = f.write_flags(Flag.NONE, Flag.NONE, (), ("$Junk", "NonJunk", "Red_Category"), NOW)
    assert write.props == {KEYWORDS: ("Red Category",), f.MARKS: ("$Junk", "NonJunk")}
    assert f.keywords_of(("Red Category",), ("$Junk", "NonJunk")) == ("$Junk", "NonJunk", "Red_Category")


def test_the_last_keyword_removed_deletes_the_property() -> None:
    assert f.write_flags(Flag.NONE, Flag.NONE, ("Work",), (), NOW).deleted == (KEYWORDS,)


def test_flags_a_client_sent() -> None:
    parsed = f.parse_flags(["\\seen", "\\Recent", "$FORWARDED", "Work", "work", "$MDNSent"])
    assert parsed == (Flag.SEEN | Flag.FORWARDED, ("$MDNSent", "Work"))
