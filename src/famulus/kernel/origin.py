"""Where a request comes from, for whoever has to write it down: the address, the client's name, and the id that the log
knows it by.

Carried beside the call rather than through it: no service does anything different because of it. A task that a request
begins inherits it; what nobody has asked for (a job, the command line) comes from nowhere.
"""

from contextvars import ContextVar
from dataclasses import dataclass

ADDRESS, REQUEST_ID, USER_AGENT = 64, 128, 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something comes from."""

    address: str | None = None
    request_id: str | None = None
    user_agent: str | None = None
    """What the client says that it is."""


_current: ContextVar[Origin | None] = ContextVar("famulus_origin", default=None)


def come_from(address: str | None, request_id: str | None, user_agent: str | None = None) -> None:
    """From here on, what this task and those it begins do comes from there."""
    _current.set(
        Origin(
            address and address[:ADDRESS],
            request_id and request_id[:REQUEST_ID],
            user_agent and user_agent[:USER_AGENT],
        )
    )


def origin() -> Origin:
    """Where what is done now comes from."""
    return _current.get() or Origin()
