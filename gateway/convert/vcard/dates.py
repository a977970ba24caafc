"""BDAY and ANNIVERSARY: a date in a card, a moment in MAPI (MS-OXOCNTC 2.2.1.5).

Writers disagree about the moment: midnight or 11:59 in UTC, or midnight where the owner is. Reading tells them
apart; writing is midnight where the owner is, as WebApp does it, with the date itself in the "local" property. A
date without a year gets the year 1604, as Apple does, which is a leap year long past.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from gateway.convert.lines import Line
from gateway.convert.vcard.draft import Draft
from gateway.convert.vcard.fields import ANNIVERSARY_LOCAL, BIRTHDAY_LOCAL
from gateway.convert.vcard.options import Options
from gateway.convert.vcard.slots import Slot
from gateway.mapi import proptags as pr
from gateway.mapi.content import MessageContent
from gateway.mapi.props import PropTag
from gateway.mapi.times import from_datetime, to_datetime

NO_YEAR: Final = 1604
_FULL: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")
_YEARLESS: Final = re.compile(r"--(\d{2})-?(\d{2})(?:T.*)?")
_APPLE_LABEL: Final = "_$!<Anniversary>!$_"
_APPLE_GROUP: Final = "anniversary"
_ANNIVERSARIES: Final = ("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-MS-ANNIVERSARY")
_HALF_A_DAY: Final = timedelta(hours=12)


def date_of(content: MessageContent, tag: PropTag, local_tag: PropTag, zone: tzinfo) -> date | None:
    """The date a moment stands for; None when there is none, or none that can be."""
    value, local = content.get(tag), content.get(local_tag)
    try:
        moment = to_datetime(value) if isinstance(value, int) else None
        named = to_datetime(local).date() if isinstance(local, int) else None
        if moment is None:
            return named
        return _date_of(moment, named, zone)
    except (OverflowError, ValueError):
        return None


def _date_of(moment: datetime, named: date | None, zone: tzinfo) -> date:
    if named is not None and abs(datetime.combine(named, time(12), UTC) - moment) <= timedelta(hours=27):
        return named
    if (moment.hour, moment.minute) in ((0, 0), (11, 59)):
        return moment.date()
    there = moment.astimezone(zone)
    if (there.hour, there.minute) == (0, 0):
        return there.date()
    return (moment + _HALF_A_DAY).date()


def moments(day: date, zone: tzinfo) -> tuple[int, int]:
    """A date as the moment of its midnight there, and as the "local" property (FILETIMEs)."""
    local = from_datetime(datetime.combine(day, time(), UTC))
    return from_datetime(datetime.combine(day, time(), zone)), local


def export_dates(content: MessageContent, version: str, options: Options) -> Iterator[Slot]:
    """BDAY, and the anniversary in the forms that clients of the version know."""
    birthday = date_of(content, pr.PR_BIRTHDAY, BIRTHDAY_LOCAL, options.zone)
    if birthday is not None:
        yield Slot("BDAY", birthday, [_line("BDAY", birthday, version)])
    wedding = date_of(content, pr.PR_WEDDING_ANNIVERSARY, ANNIVERSARY_LOCAL, options.zone)
    if wedding is None:
        return
    if version != "3.0":
        yield Slot("ANNIVERSARY", wedding, [_line("ANNIVERSARY", wedding, version)])
        return
    apple = _line("X-ABDATE", wedding, version)
    lines = [
        _line("X-ANNIVERSARY", wedding, version),
        Line("X-ABDATE", apple.value, {"TYPE": ("pref",), **apple.params}, _APPLE_GROUP),
        Line("X-ABLABEL", _APPLE_LABEL, {}, _APPLE_GROUP),
    ]
    yield Slot("ANNIVERSARY", wedding, lines, optional=True)


def _line(name: str, day: date, version: str) -> Line:
    if version == "3.0":
        params = {"X-APPLE-OMIT-YEAR": (str(NO_YEAR),)} if day.year == NO_YEAR else {}
        return Line(name, day.isoformat(), params)
    return Line(name, f"--{day:%m%d}" if day.year == NO_YEAR else f"{day.year:04}{day:%m%d}")


def take_dates(draft: Draft) -> None:
    """Dates into moments. What is no date ("circa 1800", a year alone) stays a line."""
    _take(draft, "BDAY", draft.lines("BDAY"), pr.PR_BIRTHDAY, BIRTHDAY_LOCAL)
    apple = [line for line in draft.lines("X-ABDATE") if "anniversary" in draft.label(line).lower()]
    wedding = [*draft.lines(*_ANNIVERSARIES), *apple]
    labels = {line.group.lower() for line in apple if line.group}
    for label in draft.lines("X-ABLABEL"):
        if label.group.lower() in labels and label.text == _APPLE_LABEL:
            draft.claim(label, "ANNIVERSARY")
    _take(draft, "ANNIVERSARY", wedding, pr.PR_WEDDING_ANNIVERSARY, ANNIVERSARY_LOCAL)


def _take(draft: Draft, slot: str, lines: list[Line], tag: PropTag, local_tag: PropTag) -> None:
    dated = [(line, day) for line in lines if (day := read_date(line)) is not None]
    if not dated:
        if draft.is_gone(slot):
            draft.drop(tag, local_tag)
        return
    before = date_of(draft.content, tag, local_tag, draft.options.zone)
    # A client changes the form it knows and leaves the others: what differs is what it means.
    day = next((day for _, day in dated if day != before), before)
    for line, _ in dated:
        draft.claim(line, slot)
    if day is not None and day != before:
        moment, local = moments(day, draft.options.zone)
        draft.put(tag, moment)
        draft.put(local_tag, local)


def read_date(line: Line) -> date | None:
    """The date of a line, as it is written; None when it is none that MAPI can hold."""
    if line.param("VALUE").lower() == "text":
        return None
    text = line.text.strip()
    match = _FULL.fullmatch(text)
    yearless = _YEARLESS.fullmatch(text) if match is None else None
    try:
        if match is not None:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        elif yearless is not None:
            day = date(NO_YEAR, int(yearless[1]), int(yearless[2]))
        else:
            return None
    except ValueError:
        return None
    if line.param("X-APPLE-OMIT-YEAR") == str(day.year):
        return day.replace(year=NO_YEAR)
    return day if day.year > 1601 else None
