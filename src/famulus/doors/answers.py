"""Answers in JSON of values that are no models of pydantic: encoded once, without a look at each field."""

from collections.abc import Mapping

import msgspec
from fastapi import Response


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")
