"""Errors on the wire: one shape for all, `application/problem+json` (RFC 9457), rendered here and nowhere else."""

import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from famulus.kernel.errors import (
    BadRequest,
    FamulusError,
    FieldProblem,
    Invalid,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    TooSlow,
)

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
MOST_FIELDS = 20
LONGEST_PATH = 200
"""A name that somebody sent comes back with the refusal of it, and should not come back thousandfold."""
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What went wrong; `code` is stable, `detail` is for people.",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "title": "Problem",
                    "required": ["type", "title", "status", "code", "detail", "request_id"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "code": {"type": "string"},
                        "detail": {"type": "string"},
                        "request_id": {"type": "string"},
                        "fields": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["path", "message"],
                                "additionalProperties": False,
                                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
                            },
                        },
                    },
                }
            }
        },
    }
}
"""For the OpenAPI document: how every route answers when it does not do what was asked."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BY_STATUS: dict[int, type[FamulusError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    408: TooSlow,
    413: TooLarge,
}


def problem(error: FamulusError, request_id: str | None = None) -> Response:
    """An error as a response."""
    body: dict[str, object] = {
        "type": f"urn:famulus:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "request_id": request_id,
    }
    if error.fields:
        body["fields"] = [{"path": field.path, "message": field.message} for field in error.fields]
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), error.status, headers, MEDIA_TYPE)


def refused(scope: Scope, error: FamulusError) -> Response:
    """An error in the words of the door that it happens at: those of its protocol where it has its own."""
    dialects: Mapping[str, Callable[[FamulusError], Response]] = getattr(scope["app"].state, "dialects", {})
    for prefix, render in dialects.items():
        if scope["path"].startswith(prefix):
            return render(error)
    return problem(error, scope.get("request_id"))


def request_id_of(request: Request) -> str | None:
    """The id that the outermost middleware gave this request."""
    return request.scope.get("request_id")


def install(app: FastAPI) -> None:
    """Have the application render every error this way."""
    app.add_exception_handler(FamulusError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _unforeseen)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, FamulusError)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_failed", code=error.code, error=error.detail, cause=repr(error.__cause__))
    return refused(request.scope, error)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return refused(request.scope, fault_of(error.errors()))


def fault_of(found: Sequence[Any]) -> FamulusError:
    """What pydantic has found wrong with what was sent, as an error of ours."""
    if any(item["type"] == "json_invalid" for item in found):
        return BadRequest("The body is not valid JSON.")
    fields = tuple(FieldProblem(_path(item["loc"]), _sentence(item["msg"])) for item in found[:MOST_FIELDS])
    named = ", ".join(dict.fromkeys(field.path for field in fields)) or "the request"
    return Invalid(f"Not acceptable: {named}.", fields=fields)


def _path(location: tuple[str | int, ...]) -> str:
    """Where the fault lies: `title` of a body, `limit (query)` of anything else."""
    place, *rest = location
    path = ".".join(str(part) for part in rest)[:LONGEST_PATH].encode("utf-8", "replace").decode()
    return path or "body" if place == "body" else f"{path} ({place})"


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = BY_STATUS.get(error.status_code)
    if kind is None:
        kind = BadRequest if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else FamulusError
    said = kind(None if kind is not BadRequest else str(error.detail))
    response = refused(request.scope, said)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = ", ".join(_methods(request))
    return response


def _left(request: Request, _error: Exception) -> Response:
    """Nobody is there to be told, and nothing is wrong with the server."""
    return refused(request.scope, BadRequest("The connection was closed before the body had come."))


def _methods(request: Request) -> list[str]:
    """What the address does answer to. The framework names the methods of the first route that it finds there only."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("request_crashed", exc_info=error)
    return refused(request.scope, FamulusError())
