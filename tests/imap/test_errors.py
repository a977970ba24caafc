"""What a client is told of each error."""

from __future__ import annotations

import pytest

from gateway.imap.answers import Refused, StateError
from gateway.imap.codec import commands as c
from gateway.imap.codec.errors import ParseError
from gateway.imap.errors import Answer, answer_to
from gateway.mapi import errors as mapi
from gateway.mapiclient.errors import CallTimeout, HandlesLost, SessionLost, TooManyFailures


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ParseError("x"), "BAD", ""),
        (ParseError("x", code="TOOBIG", no=True), "NO", "TOOBIG"),
        (StateError("x"), "BAD", ""),
        (StateError("x", "UIDREQUIRED"), "BAD", "UIDREQUIRED"),
        (Refused("x", "CANNOT"), "NO", "CANNOT"),
        (mapi.NotFound(), "NO", "NONEXISTENT"),
        (mapi.NoAccess(), "NO", "NOPERM"),
        (mapi.Collision(), "NO", "ALREADYEXISTS"),
        (mapi.LogonFailed(), "NO", "AUTHENTICATIONFAILED"),
        (mapi.QuotaExceeded(), "NO", "OVERQUOTA"),
        (mapi.NotEmpty(), "NO", "HASCHILDREN"),
        (mapi.StoreBusy(), "NO", "UNAVAILABLE"),
        (CallTimeout("late"), "NO", "UNAVAILABLE"),
        (SessionLost("gone"), "NO", "UNAVAILABLE"),
        (HandlesLost("gone"), "NO", "UNAVAILABLE"),
        (TooManyFailures("slow down"), "NO", "LIMIT"),
    ],
)
def test_table(error: Exception, kind: str, code: str) -> None:
    found = answer_to(error)
    assert (found.kind, found.code, found.ours) == (kind, code, False)
    assert found.words


def test_a_missing_target_may_be_created() -> None:
    assert answer_to(mapi.NotFound(), c.Append("x", ())).code == "TRYCREATE"
    assert answer_to(mapi.NotFound(), c.Delete("x")).code == "NONEXISTENT"


def test_a_user_without_a_store_is_told_so() -> None:
    assert answer_to(mapi.NotFound(), c.Login("x", "y")).code == "CONTACTADMIN"


def test_anything_else_is_a_bug_of_ours() -> None:
    assert answer_to(ValueError("secret")) == Answer("NO", "Internal error", "SERVERBUG", ours=True)


def test_what_the_store_says_is_not_passed_on() -> None:
    assert "secret" not in answer_to(mapi.NoAccess("secret")).words
