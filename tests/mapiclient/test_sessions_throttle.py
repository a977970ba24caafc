"""How long guesses wait."""

from __future__ import annotations

import pytest

from gateway.mapiclient.options import ThrottleOptions
from gateway.mapiclient.throttle import Throttle, address_key

OPTIONS = ThrottleOptions(first=0.5, most=15.0, most_before=2.0, forget=300.0, remembered=10)
ATTACKER = "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("127.0.0.1", ""), ("::1", ""), ("::ffff:127.0.0.1", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_addresses_are_counted_under(address: str, key: str) -> None:
    assert address_key(address) == key


def test_answers_to_failures_wait_longer_and_longer() -> None:
    throttle = Throttle(OPTIONS)
    waits = [throttle.failed("ann", ATTACKER, now) for now in range(7)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_the_first_slips_do_not_delay_the_next_try() -> None:
    throttle = Throttle(OPTIONS)
    for now in range(2):
        throttle.failed("ann", ATTACKER, now)
    assert throttle.before("ann", ATTACKER, 2) == 0
    throttle.failed("ann", ATTACKER, 2)
    assert throttle.before("ann", ATTACKER, 2) == 2.0


def test_whoever_guesses_many_users_is_slowed_and_so_are_guesses_of_one_user_from_many_addresses() -> None:
    throttle = Throttle(OPTIONS)
    for number in range(5):
        throttle.failed(f"user{number}", ATTACKER, 0)
    assert throttle.before("somebody", ATTACKER, 0) == 2.0
    assert throttle.before("somebody", "192.0.2.1", 0) == 0.0
    for number in range(5):
        throttle.failed("ann", f"203.0.113.{number}", 0)
    assert throttle.before("ann", "192.0.2.1", 0) == 2.0


def test_a_right_password_never_waits_longer_than_the_limit() -> None:
    throttle = Throttle(OPTIONS)
    for now in range(1000):
        throttle.failed("ann", ATTACKER, now)
    assert throttle.before("ann", "192.0.2.1", 1000) <= OPTIONS.most_before


def test_failures_are_forgotten() -> None:
    throttle = Throttle(OPTIONS)
    for _ in range(5):
        throttle.failed("ann", ATTACKER, 0)
    assert throttle.before("ann", ATTACKER, 300) == 2.0
    assert throttle.before("ann", ATTACKER, 301) == 0.0
    assert throttle.failed("ann", ATTACKER, 301) == 0.5


def test_a_success_makes_an_address_less_suspect_but_not_innocent() -> None:
    throttle = Throttle(OPTIONS)
    for number in range(4):
        throttle.failed(f"user{number}", ATTACKER, 0)
    throttle.passed(ATTACKER, 0)
    assert throttle.before("bob", ATTACKER, 0) == 2.0
    for _ in range(5):
        throttle.passed(ATTACKER, 0)
    assert throttle.before("bob", ATTACKER, 0) == 0.0


def test_this_host_is_slowed_by_user_only() -> None:
    throttle = Throttle(OPTIONS)
    for number in range(9):
        throttle.failed(f"user{number}", "127.0.0.1", 0)
    assert throttle.before("bob", "127.0.0.1", 0) == 0.0


def test_memory_is_bounded() -> None:
    throttle = Throttle(OPTIONS)
    for number in range(1000):
        throttle.failed(f"user{number}", f"203.0.113.{number % 256}", number)
    assert len(throttle) == 10
