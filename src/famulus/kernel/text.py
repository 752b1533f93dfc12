"""Text that people send: one cleaning for every door and every stored text, and the request models that use it.

PostgreSQL stores no NUL and UTF-8 knows no lone surrogates, so both are refused where text comes in rather than deep
inside a statement.
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_SEPARATORS = frozenset({"Zl", "Zp"})


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


def _written(value: object) -> object:
    """A number could be seconds or milliseconds, so it is refused rather than guessed."""
    if isinstance(value, (int, float)):
        raise PydanticCustomError("time", "Write the time as RFC 3339 does, such as 2026-01-31T18:00:00Z.")
    return value


Name = Annotated[str, LongText(200, single_line=True)]
"""What something is called: one trimmed line of 1–200 characters."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id of ours as others send it; whether there is such a thing is not said here."""


Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written)]
"""A moment as RFC 3339 writes it, with its zone."""


class Input(BaseModel):
    """What may be sent: unknown and protected fields are refused, and so is a value of another type than declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Change(Input):
    """A partial change. Every field is optional and None when it was left away; sending null is refused."""

    @field_validator("*")
    @classmethod
    def _no_null(cls, value: object) -> object:
        if value is None:
            raise PydanticCustomError(
                "null", "Leave the field away to keep its value; null is not a value of it."
            )
        return value

    def given(self) -> dict[str, object]:
        """The fields that were sent, by name."""
        return {name: value for name, value in self if name in self.model_fields_set}
