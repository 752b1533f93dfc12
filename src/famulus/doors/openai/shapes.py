"""What all of these routes share: errors in OpenAI's shape, ids as its clients expect them, and pages of lists."""

from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus

import msgspec
from fastapi import Response

from famulus.doors.answers import json_answer
from famulus.doors.problems import problem
from famulus.kernel.errors import BadRequest, FamulusError, FieldProblem, Invalid, NotFound, every_error

IDS = {"run": "resp", "thr": "conv"}
"""Our prefix of an id, and the one under which these doors show it."""


class UnknownParameter(BadRequest):
    """This parameter is not known here; leave it out."""

    code = "unknown_parameter"


class UnsupportedParameter(BadRequest):
    """This parameter cannot be honoured here, and the answer depends on it; send the request without it."""

    code = "unsupported_parameter"


class UnsupportedContent(BadRequest):
    """Content of this kind cannot be read here; send text."""

    code = "unsupported_content"


class InvalidValue(BadRequest):
    """A value of the request is not acceptable."""

    code = "invalid_value"


def at(kind: type[FamulusError], parameter: str, message: str | None = None) -> FamulusError:
    """An error that names the parameter it is about."""
    return kind(message, fields=(FieldProblem(parameter, message or ""),))


def refusal(error: FamulusError) -> Response:
    """An error as a response, with the headers that it has at every door."""
    answer = problem(error)
    status = HTTPStatus.BAD_REQUEST if error.status == Invalid.status else error.status
    kept = ("retry-after", "www-authenticate", "cache-control")
    headers = {name: answer.headers[name] for name in kept if name in answer.headers}
    return json_answer({"error": said(error)}, status, headers)


def said(error: FamulusError) -> dict[str, object]:
    """An error as OpenAI's clients read it."""
    field = error.fields[0] if error.fields else None
    message = field.message if field and field.message else error.detail
    return spoken(error.code, message, error.status, field and field.path)


def spoken(code: str, message: str, status: int, parameter: str | None = None) -> dict[str, object]:
    """The same, of an error that is told by its code."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_error"
    else:
        kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {"message": message, "type": kind, "param": parameter, "code": code}


@cache
def statuses() -> Mapping[str, int]:
    """The HTTP status of every error, by its code."""
    return {error.code: error.status for error in every_error()}


def farewell(why: FamulusError, _request_id: str | None) -> bytes:
    """The last event of a stream whose reader's rights have ended."""
    return b"data: %b\n\n" % msgspec.json.encode({"error": said(why)})


def shown(id: str) -> str:
    """An id of ours as these doors show it: `run_01k…` is `resp_01k…`."""
    prefix, _, rest = id.partition("_")
    return f"{IDS[prefix]}_{rest}"


def ours(id: str, prefix: str, missing: type[NotFound]) -> str:
    """The id of ours behind one that was sent; raises `missing` for what is none."""
    start, _, rest = id.partition("_")
    if start != IDS[prefix] or not 0 < len(rest) <= 60 or not (rest.isascii() and rest.isalnum()):
        raise missing()
    return f"{prefix}_{rest}"


def listed(items: Sequence[Mapping[str, object]], *, more: bool = False) -> dict[str, object]:
    """Items as OpenAI lists them."""
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": more,
    }
