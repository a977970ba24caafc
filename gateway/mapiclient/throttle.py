"""How long somebody who guesses passwords has to wait. Pure: the time is a parameter, nobody sleeps here.

Failures are counted by address and by user. A wrong password is answered late, and the later the more there
were; the next try is let through a little late. A right password therefore waits for two seconds at worst,
however many are guessing. Addresses of this host count nothing: behind them is a webmail or a proxy.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import ip_address
from typing import Final, TypeAlias

from gateway.mapiclient.options import ThrottleOptions

#: So many failures are a slip of the hand.
_FREE: Final = 2
Key: TypeAlias = "tuple[str, str]"


def address_key(address: str) -> str:
    """What an address is counted under: the /64 network of an IPv6 address; "" for this host."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if parsed.is_loopback:
        return ""
    return str(parsed) if parsed.version == 4 else parsed.exploded[:19]


class Throttle:
    """Counts failures. Times are seconds of one clock."""

    def __init__(self, options: ThrottleOptions) -> None:
        self._options = options
        self._failures: OrderedDict[Key, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def before(self, user: str, address: str, now: float) -> float:
        """How long the next try waits before the store is asked."""
        count = self._count(user, address, now)
        return min(self._seconds(count), self._options.most_before) if count > _FREE else 0.0

    def failed(self, user: str, address: str, now: float) -> float:
        """A try failed: how long its answer waits."""
        for key in self._keys(user, address):
            self._failures[key] = self._known(key, now) + 1, now
            self._failures.move_to_end(key)
        while len(self._failures) > self._options.remembered:
            self._failures.popitem(last=False)
        return min(self._seconds(self._count(user, address, now)), self._options.most)

    def passed(self, address: str, now: float) -> None:
        """A try succeeded: the address is a little less suspect. A guessed user stays guarded."""
        key = "address", address_key(address)
        count = self._known(key, now)
        if count > 1:
            self._failures[key] = count - 1, now
        else:
            self._failures.pop(key, None)

    def _keys(self, user: str, address: str) -> list[Key]:
        place = address_key(address)
        return [("user", user), *([("address", place)] if place else [])]

    def _known(self, key: Key, now: float) -> int:
        count, last = self._failures.get(key, (0, 0.0))
        return count if now - last <= self._options.forget else 0

    def _count(self, user: str, address: str, now: float) -> int:
        return max(self._known(key, now) for key in self._keys(user, address))

    def _seconds(self, count: int) -> float:
        return self._options.first * 2.0 ** min(count - 1, 30)
