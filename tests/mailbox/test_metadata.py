"""What the store keeps beside an original is sent as it is only when it is one well-formed list."""

import pytest

from gateway.mailbox.metadata import DEEPEST, is_well_formed


@pytest.mark.parametrize(
    "text",
    [
        "()",
        "(NIL)",
        '("a" (("b" NIL "c" "d")) NIL)',
        '(")" "(")',
        '("a \\" b" "\\\\")',
        "((((1) 2) 3) 4)",
        "(1)(2)",
    ],
)
def test_lists(text: str) -> None:
    assert is_well_formed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NIL",
        "(",
        ")",
        ")(",
        "(()",
        "())(()",
        '("a)',
        '("a" "b)',
        '("a\\")',
        "(a\r\nb)",
        "(é)",
        "(" * (DEEPEST + 1) + ")" * (DEEPEST + 1),
        "(" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_list(text: str) -> None:
    assert not is_well_formed(text)
