"""What a ChatKit client sends with a message: its text as the model reads it, and the page it was sent from. Pure.

Page and person are what the embedding page says of them. Nobody has checked that, so no right ever rests on it; both
are told to the model as data. Who asks is known from the credentials alone.
"""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from famulus.conversations.parts import Original, Page
from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.text import clean_text

MESSAGE_LENGTH = 10_000
ORIGINAL_LENGTH = 20_000
"""Bytes of a message as its client composed it."""
FACTS, FACT, NAME = 20, 200, 60
HEADINGS = 50


def message_text(content: list[dict[str, Any]], quoted: str, *, files: bool = False) -> str:
    """A message's words, with what it quotes before them; none are needed with files. Raises Invalid."""
    said = "".join(str(part.get("text", "")) for part in content)
    quote = "\n".join(f"> {line}" for line in quoted.splitlines())
    try:
        return clean_text(
            f"{quote}\n\n{said}" if quote else said, MESSAGE_LENGTH, min_length=0 if files else 1
        )
    except ValueError as error:
        raise Invalid(fields=(FieldProblem("params.input.content", str(error)),)) from error


def original_of(content: list[dict[str, Any]], quoted: str, options: dict[str, Any]) -> Original | None:
    """What of a message its text does not tell; None where it tells everything. Raises Invalid."""
    if not quoted and not options and all(part.get("type") == "input_text" for part in content):
        return None
    original = Original(tuple(content), quoted, options)
    try:
        size = len(msgspec.json.encode(original))
    except (ValueError, RecursionError):
        size = ORIGINAL_LENGTH + 1
    if size > ORIGINAL_LENGTH:
        problem = FieldProblem("params.input", f"At most {ORIGINAL_LENGTH:,} bytes of valid JSON.")
        raise Invalid(fields=(problem,))
    return original


def page_of(metadata: Mapping[str, Any]) -> Page | None:
    """The page and the person, as a request's metadata tell of them; what is too long is cut."""
    page, person = _mapping(metadata.get("pageContext")), _mapping(metadata.get("userInfo"))
    if not page and not person:
        return None
    headings = cast(list[object], page.get("headings")) if isinstance(page.get("headings"), list) else []
    return Page(
        url=_line(page.get("url"), 2000),
        title=_line(page.get("title"), 300),
        path=_line(page.get("path"), 1000),
        headings=tuple(filter(None, (_line(each, 300) for each in headings[:HEADINGS]))),
        description=_line(page.get("description"), 2000),
        person="\n".join(_facts(person)),
    )


def named(metadata: Mapping[str, Any], name: str) -> str | None:
    """An id among the metadata; raises Invalid for anything else."""
    value = metadata.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= 64 or "\0" in value:
        raise Invalid(fields=(FieldProblem(f"metadata.{name}", "Send an id."),))
    return value


def _facts(person: Mapping[str, object]) -> list[str]:
    facts = [(_line(name, NAME), _line(value, FACT)) for name, value in list(person.items())[:FACTS]]
    return [f"{name}: {value}" for name, value in facts if name and value]


def _mapping(value: object) -> Mapping[str, object]:
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _line(value: object, length: int) -> str:
    """Text or a number on one line, without what does not show; nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)[: 2 * length]).split())
    return line[:length]
