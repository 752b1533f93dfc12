"""Crash points: named boundaries at which tests have the process die by SIGKILL, as a power cut would have it.

Unarmed (always, but where APP_ENV is `test` and the setting names a point) `reach` is one comparison.
"""

import os
import signal


class CrashPoints:
    """`NAME` dies at the first arrival there, `NAME:N` at the N-th."""

    def __init__(self, armed: str | None) -> None:
        name, _, count = (armed or "").partition(":")
        self._name = name or None
        self._left = int(count or 1)

    @property
    def armed(self) -> bool:
        """Whether there is a point to die at."""
        return self._name is not None

    def reach(self, name: str) -> None:
        """Die here, if this is the armed point and its count is used up."""
        if self._name is None or name != self._name:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
