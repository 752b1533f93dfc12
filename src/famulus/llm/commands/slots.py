"""The slots of commands: which words may stand in one, and which arguments they become. Pure.

A free slot takes any words; a typed one only what it is for, such as addresses or a date. A new name has to show that
it is one where a course is open, for `create a project outline` may be a question there: it is in quotes, has a word
such as `called` before it, or a capital letter.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from msgspec import Struct

from famulus.llm.commands import dates
from famulus.llm.commands.text import Token, Typed

Value = str | bool | None | tuple[str, ...]
Arguments = Mapping[str, Value]
ADDRESS = re.compile(r"<?([^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+?)>?")
LEVELS = ("beginner", "intermediate", "advanced")
MAX_NAME = 20
"""Words in a name that is not in quotes."""
_CUT_SHORT = frozenset("dr prof mr mrs ms st no nr vs eg ie cf".split())
"""Words whose full stop ends no sentence."""
_NO_NAME = frozenset(
    "that which who whose where when whenever if using with in to of for on from by at and or is are as , : ; .".split()
)
"""Words that no free text begins with: they go on with the sentence."""
_NO_NAME_ALONE = frozenset("the a an it this that these those them one all".split())
_SHOWN = frozenset("called named titled to as :".split())
"""Words after which a name stands."""


class Place(Struct, frozen=True):
    """Where in a line matching is."""

    typed: Typed
    today: date
    strict: bool
    """Whether a new name has to show that it is one."""
    at: int = 0

    def moved(self, at: int) -> "Place":
        """The same line, further on."""
        return Place(self.typed, self.today, self.strict, at)

    def after_word(self, key: str) -> int | None:
        """The place after this word, if it is the next; a comma before it does not matter."""
        tokens, at = self.typed.tokens, self.at
        if at < len(tokens) and tokens[at].key == "," and key != ",":
            at += 1
        return at + 1 if at < len(tokens) and tokens[at].key == key else None

    def rest(self) -> tuple[Token, ...]:
        """The tokens from here on."""
        return self.typed.tokens[self.at :]


class Bound(Struct, frozen=True):
    """What stands in a slot."""

    slot: str
    start: int
    end: int
    value: Arguments


Ends = Callable[[str, Place], Iterator[tuple[int, Arguments]]]


class Kind(Struct, frozen=True):
    """A kind of slot."""

    argument: str
    taking: Ends
    words: str
    """What may stand there, for the documentation."""
    free: bool = True

    def ends(self, place: Place) -> Iterator[tuple[int, Arguments]]:
        """Where the slot can end, and the arguments that it then gives."""
        return self.taking(self.argument, place)


def _text(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    """Any words that can be a title."""
    tokens = place.rest()
    if not tokens or (tokens[0].kind != "quote" and tokens[0].key in _NO_NAME):
        return
    for length in range(1, len(tokens) + 1):
        if length > 1 and _ends_a_sentence(tokens[max(0, length - 3) : length]):
            return
        yield place.at + length, {argument: place.typed.text(place.at, place.at + length)}


def _name(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    """A name: one text in quotes, or some words without any."""
    tokens = place.rest()
    if tokens and tokens[0].kind == "quote":
        yield place.at + 1, {argument: tokens[0].text.strip()}
        return
    for end, value in _text(argument, place):
        if end - place.at > MAX_NAME or place.typed.tokens[end - 1].kind == "quote":
            return
        if end - place.at > 1 or tokens[0].key not in _NO_NAME_ALONE:
            yield end, value


def _quoted(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    """A name that is in quotes."""
    if place.rest() and place.rest()[0].kind == "quote":
        yield from _name(argument, place)


def _new_name(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    """A name that is to be."""
    if not place.strict or _shows_itself(place):
        yield from _name(argument, place)


def _shows_itself(place: Place) -> bool:
    """Whether what begins here cannot be anything but a name."""
    tokens, at = place.typed.tokens, place.at
    if at == len(tokens):
        return False
    before = tokens[at - 1].key if at else ""
    return tokens[at].kind == "quote" or before in _SHOWN or not tokens[at].text[:1].islower()


def _names(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    for end, value in _name(argument, place):
        name = value[argument]
        assert isinstance(name, str), "a name is a text"
        yield end, {argument: (name,)}


def _address(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    if found := _address_of(place.rest()[:1]):
        yield place.at + 1, {argument: found}


def _addresses(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    """Addresses, with commas and `and` between them."""
    tokens, found, at = place.typed.tokens, list[str](), place.at
    while at < len(tokens):
        if address := _address_of(tokens[at : at + 1]):
            found.append(address)
            yield at + 1, {argument: tuple(found)}
        elif not found or tokens[at].key not in (",", ";", "and", "&"):
            return
        at += 1


def _address_of(tokens: tuple[Token, ...]) -> str | None:
    match = ADDRESS.fullmatch(tokens[0].text) if tokens else None
    return match[1] if match else None


def _level(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    if place.rest() and (level := place.rest()[0].key) in LEVELS:
        yield place.at + 1, {argument: level}


def _due(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    for end, words in _runs(place):
        # `read about Monday`: a bare weekday may as well be a part of the title
        if words[0] not in dates.WEEKDAYS and (day := dates.due_day(words, place.today)) is not None:
            yield end, {argument: dates.end_of(day)}


def _day(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    for end, words in _runs(place):
        if (day := dates.due_day(words, place.today)) is not None:
            yield end, {argument: dates.end_of(day)}


def _overdue(argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    if (end := place.after_word("overdue")) is not None:
        yield end, {argument: dates.start_of(place.today)}


def _period(_argument: str, place: Place) -> Iterator[tuple[int, Arguments]]:
    for end, words in _runs(place):
        if (span := dates.span_of(words, place.today)) is not None:
            names = ("due_after", "due_before")
            yield end, {name: dates.start_of(day) for name, day in zip(names, span, strict=True) if day}


def _runs(place: Place) -> Iterator[tuple[int, list[str]]]:
    """The words from here on, the longest run first."""
    for end in range(min(len(place.typed.tokens), place.at + dates.LONGEST), place.at, -1):
        yield end, place.typed.words(place.at, end)


def _ends_a_sentence(last: tuple[Token, ...]) -> bool:
    """Whether a sentence ends before the last of some tokens; in `Dr. Smith` none does."""
    *before, mark, next = last
    if mark.key != ".":
        return mark.key in ("?", "!")
    return next.text[:1].isupper() and not (before and before[-1].key in _CUT_SHORT)


SLOTS: Mapping[str, Kind] = {
    "TITLE": Kind("title", _text, "what is to be done"),
    "TASK": Kind("task", _text, "a task's title, or words of it"),
    "WORDS": Kind("words", _text, "words of a title"),
    "QUERY": Kind("query", _text, "what to look for"),
    "DESCRIPTION": Kind("description", _text, "a description"),
    "BODY": Kind("body", _text, "a text"),
    "NAME": Kind("name", _new_name, "a name that is to be"),
    "HEADING": Kind("title", _new_name, "a course's or a lesson's title that is to be"),
    "ORGANIZATION": Kind("organization", _name, "an organization's name"),
    "PROJECT": Kind("project", _name, "a project's name"),
    "MOVED": Kind("move_to_project", _name, "the name of the project that it goes to"),
    "TRACK": Kind("track", _name, "a track's name"),
    "COURSE": Kind("course", _name, "a course's title, or `this course`"),
    "QUOTED": Kind("course", _quoted, "a course's title in quotes"),
    "COURSES": Kind("courses", _names, "a course's title, or `this course`"),
    "LESSON": Kind("lesson", _name, "a lesson's title"),
    "ASSISTANT": Kind("assistant", _name, "an assistant's name"),
    "EMAIL": Kind("email", _address, "an e-mail address", free=False),
    "STUDENT": Kind("student", _address, "an e-mail address", free=False),
    "STUDENTS": Kind(
        "students", _addresses, "e-mail addresses, with commas or `and` between them", free=False
    ),
    "LEVEL": Kind("level", _level, "`beginner`, `intermediate` or `advanced`", free=False),
    "DUE": Kind("due_at", _due, "a day: `tomorrow`, `by Friday`, `on 1 December`, `2026-12-01`", free=False),
    "DAY": Kind("due_at", _day, "a day: `tomorrow`, `Friday`, `1 December`, `2026-12-01`", free=False),
    "OVERDUE": Kind("due_before", _overdue, "`overdue`", free=False),
    "PERIOD": Kind(
        "due_after, due_before",
        _period,
        "days: `today`, `this week`, `by Friday`, `after tomorrow`",
        free=False,
    ),
}
"""By the name that they have in the notation. An id will do wherever a name does."""
