"""A clock beside a stream that hangs up when nothing comes, or when all of it takes too long.

One timer for the whole stream. A timeout around every read would cost more than decoding what was read.
"""

import asyncio
import math
from collections.abc import Callable


class Watch:
    """Calls `hang_up` once the reader has waited longer than it may, or the deadline has passed."""

    __slots__ = ("_deadline", "_hang_up", "_idle", "_loop", "_timer", "fired", "waiting_since")

    def __init__(self, hang_up: Callable[[], None], *, idle: float, deadline: float) -> None:
        """`idle` in seconds; `deadline` on the running loop's clock."""
        self._loop = asyncio.get_running_loop()
        self._hang_up = hang_up
        self._deadline = deadline
        self._idle = idle
        self._timer: asyncio.TimerHandle | None = None
        self.fired = False
        self.waiting_since = math.inf
        """Set by the reader: loop time when it began to wait, infinite while it does not wait."""
        self._look()

    def allow(self, idle: float) -> None:
        """From now on wait at most `idle` seconds for each read."""
        self._idle = idle
        self.stop()
        self._look()

    def stop(self) -> None:
        """No more looking; safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        # Whoever is not waiting now could begin in a moment: look again one idle time from now.
        limit = min(min(self.waiting_since, now) + self._idle, self._deadline)
        if now >= limit:
            self._timer = None
            self.fired = True
            self._hang_up()
        else:
            self._timer = self._loop.call_at(limit, self._look)
