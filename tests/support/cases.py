"""What the table of operations is made of. Each area of the API keeps its cases in a `cases_…` module of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A request that succeeds."""

    who: str | None = "student"
    """The name of the person who may, or None: nobody needs to be signed in."""
    status: int = 200
    path: Mapping[str, str] = field(default_factory=dict[str, str])
    """Ids for the path, where the names are not those of the academy."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    file: bool = False
    """Sends a file as a form."""
    content: bytes = b"# Notes\n\nWater is wet."
    """What is in that file."""
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """By field: what has to stand in the body with it; of a field in a list of objects, in the object."""
    needs: str | None = None
    """The role it takes, where seeing is not enough."""
    refusal: int = 422
    """How an unacceptable body is refused."""
    endless: bool = False
    """Answers with a stream that does not end by itself."""
