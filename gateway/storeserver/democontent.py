"""What is in the demo mailboxes, as property sets. Times are relative to the day the mailbox is made."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from gateway.mapi import ids, times
from gateway.mapi import propnames as pn
from gateway.mapi import proptags as p
from gateway.mapi.props import (
    PT_BINARY,
    PT_BOOLEAN,
    PT_DOUBLE,
    PT_LONG,
    PT_MV_LONG,
    PT_SYSTIME,
    PT_UNICODE,
    Prop,
)
from gateway.mapi.tables import ObjectType
from gateway.mapiclient.wire.structs import ObjectTree

MINUTE: Final = 60 * times.TICKS_PER_SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_READ: Final = 1
_UNSENT: Final = 8
_UTF8: Final = 65001
#: A picture of one blue pixel.
_PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000"
    "000c4944415478da63504838000001e40141a2eb320c0000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class Person:
    """A name with an address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class File:
    """An attachment."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of the demo; ``folder`` is empty for the Inbox."""

    subject: str
    sender: Person
    recipients: tuple[Person, ...]
    text: str
    received: int
    folder: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    read: bool = False
    draft: bool = False
    flagged: bool = False
    categories: tuple[str, ...] = ()


ANNA: Final = Person("Anna Müller", "anna.mueller@example.org")
LIST: Final = Person("Garden Club", "club@lists.example.org")
SHOP: Final = Person("Book Shop", "orders@shop.example.com")


def mails(me: Person, now: int, *, second: bool) -> list[Mail]:
    """The mails of a mailbox, oldest first."""
    if second:
        return _second_mails(me, now)
    return [
        Mail(
            "Your order of three books",
            SHOP,
            (me,),
            "Thank you for your order.\n\nThe invoice is attached.\n",
            now - 6 * DAY,
            folder="Archive/Orders",
            files=(File("invoice.txt", "text/plain", b"Three books: 42.00\n"),),
            read=True,
        ),
        Mail(
            "Spring meeting",
            LIST,
            (LIST, me),
            "The club meets on the first Saturday of next month.\n",
            now - 3 * DAY,
            folder="Lists",
            read=True,
            categories=("Club",),
        ),
        Mail("Lunch on Friday?", ANNA, (me,), "Shall we say noon?\n\nAnna\n", now - 2 * DAY, flagged=True),
        Mail(
            "Photos of the garden – in colour",
            ANNA,
            (me,),
            "Here are the photos.\n",
            now - DAY,
            html="<html><body><p>Here are <b>the photos</b> — <i>grüße</i>, Anna</p></body></html>",
            files=(File("garden.png", "image/png", _PNG),),
        ),
        Mail(
            "Welcome",
            Person("The gateway", "postmaster@example.test"),
            (me,),
            "Welcome to the demo mailbox.\n\nTry a mail client, a calendar and an address book on it.\n",
            now - HOUR,
        ),
        Mail("Re: Lunch on Friday?", me, (ANNA,), "Noon is fine.\n", now - DAY, folder="Sent", read=True),
        Mail("Ideas", me, (ANNA,), "To be continued ...\n", now - HOUR, folder="Drafts", read=True, draft=True),
    ]


def _second_mails(me: Person, now: int) -> list[Mail]:
    return [
        Mail("Minutes of the meeting", ANNA, (me,), "The minutes are in the archive.\n", now - 4 * DAY),
        Mail("A shared Inbox", LIST, (me,), "The user demo may read this.\n", now - DAY, read=True),
    ]


def mail_tree(mail: Mail, keywords: int) -> ObjectTree:
    """A mail as saveObject takes it; ``keywords`` is the tag of the categories."""
    names = "; ".join(person.name for person in mail.recipients)
    normalized = mail.subject.removeprefix("Re: ")
    props: list[Prop] = [
        (p.PR_MESSAGE_CLASS, "IPM.Note"),
        (p.PR_SUBJECT, mail.subject),
        (p.PR_SUBJECT_PREFIX, mail.subject[: len(mail.subject) - len(normalized)]),
        (p.PR_CONVERSATION_TOPIC, normalized),
        *_sender(mail.sender),
        (p.PR_DISPLAY_TO, names),
        (p.PR_DISPLAY_CC, ""),
        (p.PR_DISPLAY_BCC, ""),
        (p.PR_CLIENT_SUBMIT_TIME, mail.received - MINUTE),
        (p.PR_MESSAGE_DELIVERY_TIME, mail.received),
        (p.PR_MESSAGE_FLAGS, (_READ if mail.read else 0) | (_UNSENT if mail.draft else 0)),
        (p.PR_BODY, mail.text),
        (p.PR_INTERNET_CPID, _UTF8),
        (p.PR_INTERNET_MESSAGE_ID, f"<{mail.received}.{len(mail.text)}@example.test>"),
        (p.PR_SEARCH_KEY, struct.pack("<qq", mail.received, len(mail.text))),
    ]
    if mail.html:
        props.append((p.PR_HTML, mail.html.encode()))
    if mail.flagged:
        props += [(p.PR_FLAG_STATUS, 2), (p.PR_FOLLOWUP_ICON, 6)]
    if mail.draft:
        props.append((p.PR_MSG_STATUS, 0x20000))
    if mail.categories:
        props.append((keywords, mail.categories))
    children = [_recipient(person, number) for number, person in enumerate(mail.recipients)]
    children += [_attachment(file, number) for number, file in enumerate(mail.files)]
    return ObjectTree(children=children, mod_props=props, obj_type=ObjectType.MESSAGE)


def _sender(person: Person) -> list[Prop]:
    entryid = ids.one_off_entryid(ids.OneOff(person.name, "SMTP", person.email))
    key = ids.search_key("SMTP", person.email)
    return [
        (p.PR_SENDER_NAME, person.name),
        (p.PR_SENDER_ADDRTYPE, "SMTP"),
        (p.PR_SENDER_EMAIL_ADDRESS, person.email),
        (p.PR_SENDER_ENTRYID, entryid),
        (p.PR_SENDER_SEARCH_KEY, key),
        (p.PR_SENT_REPRESENTING_NAME, person.name),
        (p.PR_SENT_REPRESENTING_ADDRTYPE, "SMTP"),
        (p.PR_SENT_REPRESENTING_EMAIL_ADDRESS, person.email),
        (p.PR_SENT_REPRESENTING_ENTRYID, entryid),
        (p.PR_SENT_REPRESENTING_SEARCH_KEY, key),
    ]


def _recipient(person: Person, number: int) -> ObjectTree:
    entryid = ids.one_off_entryid(ids.OneOff(person.name, "SMTP", person.email))
    return ObjectTree(
        obj_type=ObjectType.MAIL_USER,
        client_id=number,
        mod_props=[
            (p.PR_RECIPIENT_TYPE, 1),
            (p.PR_ROWID, number),
            (p.PR_DISPLAY_NAME, person.name),
            (p.PR_ADDRTYPE, "SMTP"),
            (p.PR_EMAIL_ADDRESS, person.email),
            (p.PR_SMTP_ADDRESS, person.email),
            (p.PR_EC_CONTACT_ENTRYID, entryid),
            (p.PR_SEARCH_KEY, ids.search_key("SMTP", person.email)),
        ],
    )


def _attachment(file: File, number: int) -> ObjectTree:
    return ObjectTree(
        obj_type=ObjectType.ATTACHMENT,
        client_id=number,
        mod_props=[
            (p.PR_ATTACH_METHOD, 1),
            (p.PR_ATTACH_NUM, number),
            (p.PR_ATTACH_LONG_FILENAME, file.name),
            (p.PR_ATTACH_FILENAME, file.name),
            (p.PR_ATTACH_MIME_TAG, file.mime_type),
            (p.PR_ATTACH_DATA_BIN, file.data),
            (p.PR_RENDERING_POSITION, 0xFFFF_FFFF),
        ],
    )


def _appointment(number: int, kind: int) -> int:
    return pn.static(pn.PSETID_Appointment, number, kind)


def appointments(now: int, *, second: bool) -> list[list[Prop]]:
    """The events of a calendar: single ones, one of a whole day, and a weekly series."""
    today = now - now % DAY
    if second:
        return [_event("Planning", today + DAY + 13 * HOUR, 2 * HOUR, "Room 2")]
    series = _event("Team meeting", today - 7 * DAY + 9 * HOUR, HOUR, "Room 1")
    return [
        _event("Dentist", today + DAY + 8 * HOUR, HOUR, "Main Street 5"),
        _event("Lunch with Anna", today + 2 * DAY + 12 * HOUR, HOUR, "Café Müller"),
        _event("Day off", today + 5 * DAY, DAY, "", whole_day=True),
        [*series, *_weekly(today - 7 * DAY, 9 * 60, 10 * 60)],
    ]


def _event(subject: str, start: int, length: int, place: str, *, whole_day: bool = False) -> list[Prop]:
    end = start + length
    uid = bytes.fromhex("040000008200E00074C5B7101A82E008") + bytes(4)
    uid += struct.pack("<q8xI", start, 16) + subject.encode().ljust(16, b"\0")[:16]
    return [
        (p.PR_MESSAGE_CLASS, "IPM.Appointment"),
        (p.PR_SUBJECT, subject),
        (p.PR_BODY, f"{subject}\n"),
        (p.PR_ICON_INDEX, 1024),
        (p.PR_START_DATE, start),
        (p.PR_END_DATE, end),
        (pn.PidLidCommonStart, start),
        (pn.PidLidCommonEnd, end),
        (pn.PidLidAppointmentStartWhole, start),
        (pn.PidLidAppointmentEndWhole, end),
        (pn.PidLidReminderSet, False),
        (pn.PidLidPrivate, False),
        (pn.PidLidGlobalObjectId, uid),
        (pn.PidLidCleanGlobalObjectId, uid),
        (_appointment(0x8205, PT_LONG), 2),
        (_appointment(0x8208, PT_UNICODE), place),
        (_appointment(0x8213, PT_LONG), length // MINUTE),
        (_appointment(0x8215, PT_BOOLEAN), whole_day),
        (_appointment(0x8217, PT_LONG), 0),
        (_appointment(0x8218, PT_LONG), 0),
        (_appointment(0x8223, PT_BOOLEAN), False),
        (_appointment(0x8235, PT_SYSTIME), start),
        (_appointment(0x8236, PT_SYSTIME), end),
    ]


def _weekly(first_day: int, start: int, end: int) -> list[Prop]:
    """What makes an event repeat every week on the day of the first, in UTC (MS-OXOCAL 2.2.1.44)."""
    day = times.filetime_to_rtime(first_day)
    weekday = (day // 1440 + 1) % 7  # 1601-01-01 was a Monday; 0 is Sunday
    week_start = day - weekday * 1440
    endless = 0x5AE980DF
    state = struct.pack("<HHHHH", 0x3004, 0x3004, 0x200B, 1, 0)
    state += struct.pack("<IIII", week_start % (7 * 1440), 1, 0, 1 << weekday)
    state += struct.pack("<IIIII", 0x2023, 10, 0, 0, 0)
    state += struct.pack("<II", day, endless)
    state += struct.pack("<IIIIH", 0x3006, 0x3008, start, end, 0) + bytes(8)
    return [
        (_appointment(0x8223, PT_BOOLEAN), True),
        (_appointment(0x8216, PT_BINARY), state),
        (_appointment(0x8231, PT_LONG), 2),
        (_appointment(0x8232, PT_UNICODE), "Every week"),
        (_appointment(0x8233, PT_BINARY), bytes(48)),
        (_appointment(0x8234, PT_UNICODE), "UTC"),
        (_appointment(0x8236, PT_SYSTIME), times.rtime_to_filetime(endless)),
        (p.PR_ICON_INDEX, 1025),
    ]


def _address(number: int, kind: int) -> int:
    return pn.static(pn.PSETID_Address, number, kind)


def contacts(*, second: bool) -> list[list[Prop]]:
    """The cards of an address book."""
    anna = _contact("Anna", "Müller", ANNA.email, "+49 30 1234567", "Garden Ltd.")
    if second:
        return [anna]
    return [
        anna,
        _contact("Bernd", "Schmidt", "bernd@example.org", "+49 40 7654321", ""),
        _contact("Chloé", "Dubois", "chloe.dubois@example.fr", "+33 1 23 45 67 89", "Dubois & Fils"),
    ]


def _contact(given: str, surname: str, email: str, phone: str, company: str) -> list[Prop]:
    name = f"{given} {surname}"
    one_off = ids.one_off_entryid(ids.OneOff(name, "SMTP", email))
    return [
        (p.PR_MESSAGE_CLASS, "IPM.Contact"),
        (p.PR_SUBJECT, name),
        (p.PR_DISPLAY_NAME, name),
        (p.PR_GIVEN_NAME, given),
        (p.PR_SURNAME, surname),
        (p.PR_COMPANY_NAME, company),
        (p.PR_BUSINESS_TELEPHONE_NUMBER, phone),
        (p.PR_ICON_INDEX, 512),
        (_address(0x8005, PT_UNICODE), f"{surname}, {given}"),
        (_address(0x8028, PT_MV_LONG), (0,)),
        (_address(0x8029, PT_LONG), 1),
        (_address(0x8080, PT_UNICODE), f"{name} ({email})"),
        (_address(0x8082, PT_UNICODE), "SMTP"),
        (_address(0x8083, PT_UNICODE), email),
        (_address(0x8084, PT_UNICODE), email),
        (_address(0x8085, PT_BINARY), one_off),
    ]


def _task(number: int, kind: int) -> int:
    return pn.static(pn.PSETID_Task, number, kind)


def tasks(now: int, *, second: bool) -> list[list[Prop]]:
    """The tasks of a list."""
    today = now - now % DAY
    if second:
        return [_todo("Write the minutes", today + 2 * DAY, done=False)]
    return [_todo("Water the plants", today + DAY, done=False), _todo("Buy books", today - DAY, done=True)]


def _todo(subject: str, due: int, *, done: bool) -> list[Prop]:
    return [
        (p.PR_MESSAGE_CLASS, "IPM.Task"),
        (p.PR_SUBJECT, subject),
        (p.PR_BODY, ""),
        (p.PR_ICON_INDEX, 1280),
        (pn.PidLidCommonStart, due),
        (pn.PidLidCommonEnd, due),
        (_task(0x8101, PT_LONG), 2 if done else 0),
        (_task(0x8102, PT_DOUBLE), 1.0 if done else 0.0),
        (_task(0x8104, PT_SYSTIME), due),
        (_task(0x8105, PT_SYSTIME), due),
        (_task(0x8113, PT_LONG), 1),
        (_task(0x811C, PT_BOOLEAN), done),
        (_task(0x8126, PT_BOOLEAN), False),
    ]
