"""The one error tree. A class is a status, a stable code and a sentence; doors render it in one place.

    FamulusError 500 internal
    ├── BadRequest 400 · Invalid 422 (names the fields)
    ├── Unauthenticated 401 · Forbidden 403 · NotFound 404
    ├── Conflict 409 · Gone 410 · TooLarge 413 · TooMany 429 (retry_after)
    ├── ConfigurationError 500 (stops a start; says which setting and what to write)
    └── Unavailable 503 · (llm.errors adds the model's own)

Rooms subclass these with a code of their own. The docstring is the default message.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of the input."""

    path: str
    """Where: dotted, as in the body that was sent."""
    message: str
    """What to do about it."""


class FamulusError(Exception):
    """Something went wrong inside Famulus; the log has the details under this request's id."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retry: ClassVar[bool] = False
    """Whether the same request may succeed a little later."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: tuple[FieldProblem, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().split("\n")[0]
        self.fields = fields
        self.retry_after = retry_after
        super().__init__(self.detail)


class BadRequest(FamulusError):
    """The request could not be understood."""

    status, code, title = 400, "bad_request", "Bad request"


class Invalid(FamulusError):
    """Some fields are not acceptable; each is named with what to do about it."""

    status, code, title = 422, "invalid", "Not acceptable"


class Unauthenticated(FamulusError):
    """Sign in first, or sign in again: the credentials are missing, expired or revoked."""

    status, code, title = 401, "unauthenticated", "Sign-in needed"


class Forbidden(FamulusError):
    """Your role does not allow this."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(FamulusError):
    """There is nothing here that you may see."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(FamulusError):
    """This address does not answer to that method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class TooSlow(FamulusError):
    """The request did not come in the time that the server waits for one; send it again."""

    status, code, title, retry = 408, "too_slow", "Too slow", True


class Conflict(FamulusError):
    """This contradicts something that exists already."""

    status, code, title = 409, "conflict", "Conflict"


class Gone(FamulusError):
    """This existed and is no longer kept."""

    status, code, title = 410, "gone", "Gone"


class TooLarge(FamulusError):
    """The request is larger than the server accepts."""

    status, code, title = 413, "too_large", "Too large"


class TooMany(FamulusError):
    """Too many requests; wait a little and try again."""

    status, code, title, retry = 429, "too_many", "Too many requests", True


class Unavailable(FamulusError):
    """A part that is needed for this is not available right now; try again shortly."""

    status, code, title, retry = 503, "unavailable", "Unavailable", True


class ConfigurationError(FamulusError):
    """The configuration cannot work; the message names the setting and what to write."""

    code, title = "configuration", "Configuration error"


def every_error(root: type[FamulusError] = FamulusError) -> list[type[FamulusError]]:
    """The tree, flattened: each class once, parents before children."""
    found = [root]
    for child in root.__subclasses__():
        found.extend(item for item in every_error(child) if item not in found)
    return found
