"""THREAD and UID THREAD (RFC 5256 section 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from gateway.imap import searching, sorting, threads
from gateway.imap.answers import Done
from gateway.imap.codec import commands as c
from gateway.imap.codec import write_search
from gateway.imap.connection import Selection
from gateway.mapi import proptags as pr

_CRITERIA: Final = (("SUBJECT", False), ("DATE", False))


async def thread(selection: Selection, command: c.Thread) -> AsyncIterator[bytes | Done]:
    """Find messages and put them into threads."""
    uids, _ = await searching.found(selection, command.key, whole=True)
    found = await sorting.mails_of(selection.view, uids, _CRITERIA)
    references = await _references(selection, [mail.uid for mail in found], command.algorithm)
    mails = [
        _mail(one, one.uid if command.by_uid else selection.told.number(one.uid), references.get(one.uid, ""))
        for one in found
        if selection.told.number(one.uid)
    ]
    arrange = threads.ALGORITHMS[command.algorithm]
    nodes = await selection.view.store.compute(len(mails) * 200, lambda: arrange(mails))
    yield write_search.thread(nodes)


async def _references(selection: Selection, uids: Sequence[int], algorithm: str) -> Mapping[int, str]:
    """References fields: the one thing an envelope does not tell."""
    if algorithm == "ORDEREDSUBJECT":
        return {}
    rows = await selection.view.rows_of(uids, (pr.PR_INTERNET_REFERENCES,))
    return {uid: row.get(pr.PR_INTERNET_REFERENCES, "") for uid, row in zip(uids, rows, strict=True)}


def _mail(mail: sorting.Mail, number: int, references: str) -> threads.Mail:
    subject, reply = mail.subject
    envelope = mail.envelope
    return threads.Mail(
        number,
        mail.sent,
        subject,
        reply,
        threads.message_id_of(envelope.message_id.decode("utf-8", "replace")),
        threads.references_of(references, envelope.in_reply_to.decode("utf-8", "replace")),
    )
