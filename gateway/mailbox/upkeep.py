"""What a View does for itself while others use it: writing down what only it knows, and seeing that it is right."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

if TYPE_CHECKING:
    from gateway.mailbox.view import View

#: How long new save dates are collected before they are written down (seconds): they are nowhere else.
DATES_DELAY: Final = 5.0
#: How often the messages are counted (seconds), and how long after the look that made it necessary.
COUNT_EVERY: Final = 600.0
COUNT_DELAY: Final = 2.0


class Upkeep:
    """The timers of one View."""

    log = Logger()

    def __init__(self, view: View) -> None:
        self._view = view
        self._writing = view.store.later()
        self._counting = view.store.later()
        self._counted = float("-inf")
        self._closed = False

    def opened(self) -> None:
        """The View was read; what the folder tree knows of its count spares asking when it is the same."""
        if self._view.mailbox.count == len(self._view.rows):
            self._counted = self._view.store.seconds()
        self.looked()

    def looked(self) -> None:
        """The View has been brought up to date."""
        if self._view.store.seconds() - self._counted >= COUNT_EVERY and not self._closed:
            self._counting.after(COUNT_DELAY, self._count)

    def changed(self) -> None:
        """There may be new save dates."""
        if self._view.state.saved.changed and not self._closed:
            self._writing.after(DATES_DELAY, lambda: self._detached(self._view.write_dates()))

    def close(self) -> None:
        """Do nothing any more."""
        self._closed = True
        self._writing.cancel()
        self._counting.cancel()

    def _count(self) -> None:
        self._counted = self._view.store.seconds()
        self._detached(self._view.verify())

    def _detached(self, work: Coroutine[Deferred[Any], object, None]) -> None:
        Deferred.fromCoroutine(work).addErrback(
            lambda failure: self.log.warn(
                "upkeep of {mailbox} of {user} failed: {error}",
                mailbox=self._view.mailbox.name,
                user=self._view.store.user,
                error=failure.value,
            )
        )
