"""Text that people send: one cleaning for every door and every stored text, and the request models that use it.

PostgreSQL stores no NUL and UTF-8 knows no lone surrogates, so both are refused where text comes in rather than deep
inside a statement.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")
_SEPARATORS = frozenset({"Zl", "Zp"})
_HIDDEN = frozenset({"Cf", "Cc", "Co", "Cn", "Cs", "Zl", "Zp"})
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
"""The zone may be missing here, so that its absence can be told apart."""
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these lies every time that somebody may send."""


def clean_text(
    value: str, max_length: int, *, min_length: int = 1, single_line: bool = False, strip: bool = True
) -> str:
    """The text as it is kept: trimmed unless told otherwise, `min_length` to `max_length` characters long.

    A single line has no control characters and is composed (NFC), so that names that look alike are alike.
    Raises ValueError with a sentence for the person who sent it.
    """
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("This contains half of a character (a lone surrogate); send valid Unicode text.")
    if "\0" in value:
        raise ValueError("This contains the character NUL, which cannot be stored; leave it out.")
    text = value.strip() if strip else value
    if single_line:
        text = _one_line(text)
    if len(text) < min_length or (min_length and not _shows(text)):
        raise ValueError(
            "This must not be empty." if min_length <= 1 else f"Write at least {min_length:,} characters."
        )
    if len(text) > max_length:
        raise ValueError(f"This has {len(text):,} characters; at most {max_length:,} are allowed.")
    return text


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in _SEPARATORS or _is_control(character) for character in text):
        raise ValueError("This must be a single line without control characters.")
    return unicodedata.normalize("NFC", text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _shows(text: str) -> bool:
    """Whether there is anything to see: blanks and invisible marks alone make no name and no question."""
    return any(unicodedata.category(character)[0] not in "ZC" for character in text)


def visible_text(text: str) -> str:
    """The text with every character that does not show, or turns others around, written as `⟦U+202E⟧`."""
    return "".join(f"⟦U+{ord(c):04X}⟧" if _hides(c) and c != "\n" else c for c in text)


def visible_json(text: str) -> str:
    """JSON text, the same value, with every character that does not show escaped as JSON does it."""
    return "".join(_escaped(c) if _hides(c) and c not in "\n\t" else c for c in text)


def _hides(character: str) -> bool:
    return (not character.isascii() and unicodedata.category(character) in _HIDDEN) or _is_control(character)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def fold(name: str) -> str:
    """The form of a name under which two that differ only in case are the same, on every database alike."""
    return unicodedata.normalize("NFC", name.casefold())


@dataclass(frozen=True, slots=True)
class LongText:
    """Marks a `str` of a pydantic model as cleaned by `clean_text`: `Annotated[str, LongText(500)]`."""

    max_length: int
    min_length: int = 1
    single_line: bool = False
    strip: bool = True

    def clean(self, value: str) -> str:
        """The cleaned text; what is wrong with it becomes a problem of its field."""
        try:
            return clean_text(
                value,
                self.max_length,
                min_length=self.min_length,
                single_line=self.single_line,
                strip=self.strip,
            )
        except ValueError as error:
            raise PydanticCustomError("text", "{reason}", {"reason": str(error)}) from error

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        bounds = {"minLength": self.min_length, "maxLength": self.max_length}
        return core_schema.no_info_after_validator_function(
            self.clean, handler(source), metadata={"pydantic_js_updates": bounds}
        )


Name = Annotated[str, LongText(200, single_line=True)]
"""What something is called: one trimmed line of 1–200 characters."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id of ours as others send it; whether there is such a thing is not said here."""


def _moment(value: object) -> datetime:
    """A time as RFC 3339 writes it, in UTC."""
    if isinstance(value, datetime):  # a default, or a value of our own making
        value = value.isoformat()
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("Write a time like 2026-11-20T19:00:00Z.")
    try:
        time = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise ValueError("There is no such time in the calendar.") from error
    if time.tzinfo is None:
        raise ValueError("Say in which zone this time is: end it with Z or an offset such as +02:00.")
    if not EARLIEST < time < LATEST:
        raise ValueError(f"Write a time between the years {EARLIEST.year} and {LATEST.year}.")
    return time.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A time with its zone, as RFC 3339 writes it; kept in UTC."""


@dataclass(frozen=True, slots=True)
class _NullIsAValue:
    """Marks a field of a `Change` that null empties."""


Clearable = Annotated[T | None, _NullIsAValue()]
"""In a `Change`: left away it keeps its value, null empties it. `track_id: Clearable[Id] = None`."""


class Input(BaseModel):
    """What may be sent: unknown and protected fields are refused, and so is a value of another type than declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Change(Input):
    """A partial change. Every field is optional and None when it was left away.

    Sending null is refused, but for what is `Clearable`: read such a field from `given`, which tells the two apart.
    """

    @field_validator("*")
    @classmethod
    def _no_null(cls, value: object, info: ValidationInfo) -> object:
        if value is None and _NullIsAValue() not in cls.model_fields[info.field_name or ""].metadata:
            raise PydanticCustomError(
                "null", "Leave the field away to keep its value; null is not a value of it."
            )
        return value

    def given(self) -> dict[str, object]:
        """The fields that were sent, by name."""
        return {name: value for name, value in self if name in self.model_fields_set}
