"""Files of series and their instances, and of meetings at their guests (MS-OXOCAL 2.2.10, RFC 8607)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.convert.errors import ParseError
from gateway.convert.ical import calendar_part, from_ical, to_ical
from gateway.convert.ical import propids as ids
from gateway.convert.ical.exceptions import is_exception
from gateway.convert.ical.files import managed_id
from gateway.convert.ical.instancefiles import MASTER, all_days, day_of, files_by_day, files_of, with_files
from gateway.convert.ical.meetingfiles import FROM_ORGANIZER, instances_with_files, merged
from gateway.convert.ical.recurblob import decode
from gateway.convert.lines import Line
from gateway.convert.samefile import is_same
from gateway.mapi import proptags as pt
from gateway.mapi.content import AttachmentContent, Blob, MessageContent
from tests.convert.ical.items import OPTIONS, event, lines, read, rtime, written
from tests.convert.ical.test_series import MOVED, WEEKLY

KEY = bytes(16)


def file(
    name: str = "f", data: bytes | Blob = b"data", key: bytes = KEY, *, sent: bool = False
) -> AttachmentContent:
    props = {pt.PR_ATTACH_METHOD: 1, pt.PR_ATTACH_LONG_FILENAME: name, pt.PR_RECORD_KEY: key}
    return AttachmentContent(props | ({FROM_ORGANIZER: True} if sent else {}), data)


def adding(one: AttachmentContent) -> Callable[[list[AttachmentContent]], list[AttachmentContent]]:
    return lambda found: [*found, one]


def names(content: MessageContent) -> list[object]:
    return [each.props[pt.PR_ATTACH_LONG_FILENAME] for each in files_of(content)]


# Tuesdays from 2026-07-14 on at 10:00 in Berlin; that of the 21st is moved.
SERIES = read(WEEKLY, MOVED)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("M", None), ("m", None), ("20260714T080000Z", "2026-07-14"), ("20260714T100000", "2026-07-14"),
        ("20260721T080000Z", "2026-07-21"),
    ],
)  # fmt: skip
def test_instances_are_named_by_where_the_series_has_them(value: str, day: str | None) -> None:
    assert day_of(SERIES, value, OPTIONS) == (MASTER if day is None else rtime(f"{day} 00:00"))


@pytest.mark.parametrize(
    "value",
    ["20260715T080000Z", "20260722T090000Z", "20260714T090000Z", "20260714", "20300101T000000Z", "", "x"],
)
def test_what_is_no_instance(value: str) -> None:
    with pytest.raises(ParseError):
        day_of(SERIES, value, OPTIONS)
    with pytest.raises(ParseError):
        day_of(event(), value, OPTIONS)


def test_an_instance_that_begins_to_have_a_file_of_its_own() -> None:
    """It is as the series has it, with the files of the series."""
    series = with_files(SERIES, [MASTER], adding(file("first")), OPTIONS)
    assert all_days(series, OPTIONS) == [MASTER, rtime("2026-07-21 00:00")]
    day = day_of(series, "20260728T080000Z", OPTIONS)
    changed = with_files(series, [day], adding(file("second", key=b"2" * 16)), OPTIONS)
    assert all_days(changed, OPTIONS) == [MASTER, rtime("2026-07-21 00:00"), day]
    found = files_by_day(changed, [day, MASTER], OPTIONS)
    assert {key: names(MessageContent({}, [], files)) for key, files in found.items()} == {
        MASTER: ["first"],
        day: ["first", "second"],
    }
    pattern = decode(changed.props[ids.RECUR])
    assert [each.attachment for each in pattern.modified] == [None, True]
    assert day in pattern.deleted
    exception = changed.attachments[-1]
    assert is_exception(exception)
    assert exception.embedded is not None
    assert exception.embedded.props[pt.PR_MESSAGE_CLASS] == ids.EXCEPTION_CLASS
    _, moved, own = written(changed)
    assert own.text("DTSTART") == "20260728T100000"
    assert own.text("SUMMARY") == written(SERIES)[0].text("SUMMARY")
    assert moved.text("SUMMARY") == "Moved €"
    assert SERIES.attachments == series.attachments[1:]


def test_the_last_file_of_an_instance_goes() -> None:
    day = day_of(SERIES, "20260721T080000Z", OPTIONS)
    added = with_files(SERIES, [day], adding(file()), OPTIONS)
    assert names(added) == ["f"]
    gone = with_files(added, [day], lambda found: [], OPTIONS)
    assert names(gone) == []
    assert [each.attachment for each in decode(gone.props[ids.RECUR]).modified] == [None]
    assert to_ical(gone, OPTIONS) == to_ical(SERIES, OPTIONS)


def test_a_text_names_files_by_their_ids() -> None:
    """RFC 8607 3.7: those of the item stay, others are asked for, what nobody has is a link without an id."""
    there = event(existing=None)
    there.attachments.append(file("mine"))
    named = "ATTACH;MANAGED-ID={key};FILENAME=n:https://x.example/{key}"
    text = to_ical(there, OPTIONS).decode()
    more = "".join(f"{named.format(key=key)}\r\n" for key in (KEY.hex(), "aa", "bb"))
    asked: list[str] = []

    def attached(line: Line) -> AttachmentContent | None:
        asked.append(line.param("MANAGED-ID"))
        return file("theirs", key=b"\xaa") if asked[-1] == "aa" else None

    options = replace(OPTIONS, attached=attached, inline=0)
    found = from_ical(text.replace("END:VEVENT", f"{more}END:VEVENT"), there, options)
    assert asked == ["aa", "bb"]
    assert [managed_id(each.props) for each in found.attachments] == [KEY.hex(), "aa"]
    assert lines(written(found, options)[0], "ATTACH") == ["https://x.example/bb"]
    assert b"MANAGED-ID" not in to_ical(found, options)


# Meetings


def blob(data: bytes, size: int) -> Blob:
    """The same bytes, in chunks of a size."""
    return Blob(len(data), lambda: (data[at : at + size] for at in range(0, len(data), size)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (file(), file(key=b"x"), True),
        (file(), file("g"), False),
        (file(), file(data=b"dat"), False),
        (file(data=bytes(200_000)), file(data=blob(bytes(200_000), 999)), True),
        (file(data=blob(bytes(200_000), 70_000)), file(data=blob(bytes(200_000), 65_536)), True),
        (file(data=bytes(200_000)), file(data=blob(bytes(199_999) + b"x", 999)), False),
        (file(), AttachmentContent({pt.PR_ATTACH_LONG_FILENAME: "f"}, None), False),
    ],
)
def test_the_same_file(one: AttachmentContent, other: AttachmentContent, same: bool) -> None:
    assert is_same(one, other) is same
    assert is_same(other, one) is same


@pytest.mark.parametrize(
    ("own", "sent", "after"),
    [
        ([], ["a"], ["a*"]),
        (["a*"], ["a"], ["a*"]),
        (["a*", "mine"], ["b"], ["mine", "b*"]),
        (["a*", "b*"], [], []),
        (["mine"], ["mine"], ["mine"]),
        (["mine"], [], ["mine"]),
    ],
)
def test_the_files_of_a_guest(own: list[str], sent: list[str], after: list[str]) -> None:
    """Those with a star came from the organizer."""
    there = [file(each.rstrip("*"), sent=each.endswith("*")) for each in own]
    found = merged(there, [file(each) for each in sent])
    told = [
        f"{each.props[pt.PR_ATTACH_LONG_FILENAME]}{'*' if each.props.get(FROM_ORGANIZER) else ''}"
        for each in found
    ]
    assert told == after


def test_the_files_of_a_guest_at_one_instance() -> None:
    day = day_of(SERIES, "20260721T080000Z", OPTIONS)
    own = with_files(SERIES, [day], adding(file("mine")), OPTIONS)
    sent = with_files(SERIES, [day], adding(file("sent", key=b"2" * 16)), OPTIONS)
    [found] = instances_with_files(own.attachments, sent.attachments)
    assert names(MessageContent({}, [], [found])) == ["mine", "sent"]
    [again] = instances_with_files([found], SERIES.attachments)
    assert names(MessageContent({}, [], [again])) == ["mine"]


def test_a_file_is_in_a_mail_once() -> None:
    """The message's own files are parts of the mail; only those of instances are in the text."""
    day = day_of(SERIES, "20260721T080000Z", OPTIONS)
    series = with_files(SERIES, [MASTER], adding(file("part")), OPTIONS)
    series = with_files(series, [day], adding(file("inside", bytes(300_000), b"2" * 16)), OPTIONS)
    props = {**series.props, pt.PR_MESSAGE_CLASS: "IPM.Schedule.Meeting.Request"}
    message = MessageContent(props, series.recipients, series.attachments)
    part = (calendar_part(message, OPTIONS, in_mail=True) or b"").replace(b"\r\n ", b"")
    assert (part.count(b"X-FILENAME=part"), part.count(b"X-FILENAME=inside")) == (0, 1)
    shown = (calendar_part(message, OPTIONS) or b"").replace(b"\r\n ", b"")
    assert shown.count(b"X-FILENAME=part") == 1
