"""Days and spans of days as people say them in English: `tomorrow`, `by Friday`, `this week`, `1 December 2026`. Pure.

A weekday is the next one, today included; with `next` it is the one of the week after this. Weeks begin on Monday. All
days are days in UTC, and what is due on a day is due at its end.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta

Span = tuple[date | None, date | None]
"""The first day, and the one after the last; None where there is no end."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = "january february march april may june july august september october november december".split()
LONGEST = 8
"""Words in a date, its preposition included."""
_DUE = ("by", "until", "till", "on", "for", "due", "before", "at", "within")
_SPAN = (*_DUE, "in", "during", "from", "of")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_NEAR: dict[tuple[str, ...], int] = {
    ("today",): 0,
    ("tonight",): 0,
    ("this", "evening"): 0,
    ("tomorrow",): 1,
    ("day", "after", "tomorrow"): 2,
}


def start_of(day: date) -> str:
    """The moment at which a day begins, as RFC 3339."""
    return f"{day.isoformat()}T00:00:00Z"


def end_of(day: date) -> str:
    """The last second of a day, as RFC 3339."""
    return f"{day.isoformat()}T23:59:59Z"


def due_day(words: Sequence[str], today: date) -> date | None:
    """The last day that something may be done on: `by Friday`, `next week`. None for anything else."""
    try:
        return _due_day(words, today)
    except (ValueError, OverflowError):
        return None


def span_of(words: Sequence[str], today: date) -> Span | None:
    """The days that are meant: `this week`, `on Friday`, `until 2026-12-01`. None for anything else."""
    try:
        return _span(words, today)
    except (ValueError, OverflowError):
        return None


def spoken(day: date) -> str:
    """A day as it is read out: `Friday, 4 December 2026`."""
    return (
        f"{WEEKDAYS[day.weekday()].capitalize()}, {day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"
    )


def _due_day(words: Sequence[str], today: date) -> date | None:
    before, rest = _without(words, _DUE)
    last = _day(rest, today) or _last_day(rest, today)
    return last - timedelta(1) if last and "before" in before else last


def _span(words: Sequence[str], today: date) -> Span | None:
    before, rest = _without(words, _SPAN)
    if days := _week_or_month(rest, today):
        first, after = days
    elif (day := _day(rest, today)) is not None:
        first, after = day, day + timedelta(1)
    elif rest and rest[0] == "after" and (day := _day(rest[1:], today)) is not None:
        return day + timedelta(1), None
    else:
        return None
    if "before" in before:
        return None, first
    if {"by", "until", "till"} & set(before):
        return None, after
    return (first, None) if "from" in before else (first, after)


def _without(words: Sequence[str], prepositions: Sequence[str]) -> tuple[list[str], list[str]]:
    """The prepositions that come first, and the rest without its article."""
    rest = [word for word in words if word not in (",", "the")]
    before: list[str] = []
    # `in two days` is a day of its own; its `in` is no preposition of a span.
    while (
        rest and rest[0] in prepositions and not (rest[0] == "in" and rest[-1] in _UNITS and len(rest) == 3)
    ):
        before.append(rest.pop(0))
    return before, rest


def _day(words: Sequence[str], today: date) -> date | None:
    """Exactly one day."""
    match words:
        case [word] if word in WEEKDAYS:
            return _weekday(word, today)
        case ["this", word] if word in WEEKDAYS:
            return _weekday(word, today)
        case ["next", word] if word in WEEKDAYS:
            return _monday(today) + timedelta(7 + WEEKDAYS.index(word))
        case ["in", number, unit] if unit in _UNITS and (count := _number(number)) is not None:
            return today + timedelta(count * _UNITS[unit])
        case [word] if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
            return date.fromisoformat(word)
        case _:
            near = _NEAR.get(tuple(words))
            return _in_a_month(words, today) if near is None else today + timedelta(near)


def _in_a_month(words: Sequence[str], today: date) -> date | None:
    """`1 December`, `December 1st`, `the 1st of December 2026`; without a year the next one."""
    rest = [word for word in words if word != "of"]
    if len(rest) == 2:
        rest.append("")
    match rest:
        case [number, month, year] if month in MONTHS:
            pass
        case [month, number, year] if month in MONTHS:
            pass
        case _:
            return None
    day = _ORDINAL.fullmatch(number)
    if day is None or not re.fullmatch(r"(\d{4})?", year):
        return None
    found = date(int(year or today.year), MONTHS.index(month) + 1, int(day[1]))
    return found if year or found >= today else found.replace(year=today.year + 1)


def _week_or_month(words: Sequence[str], today: date) -> tuple[date, date] | None:
    match words:
        case ["this", "week"]:
            return _monday(today), _monday(today) + timedelta(7)
        case ["next", "week"]:
            return _monday(today) + timedelta(7), _monday(today) + timedelta(14)
        case ["this", "month"]:
            return today.replace(day=1), _next_month(today)
        case ["next", "month"]:
            return _next_month(today), _next_month(_next_month(today))
        case _:
            return None


def _last_day(words: Sequence[str], today: date) -> date | None:
    """The last day of a week or a month: `next week`, `the end of the month`."""
    match words:
        case ["end", "of", ("week" | "month") as which]:
            words = ["this", which]
        case ["end", "of", *rest]:
            words = rest
        case _:
            pass
    days = _week_or_month(words, today)
    return days[1] - timedelta(1) if days else None


def _weekday(word: str, today: date) -> date:
    return today + timedelta((WEEKDAYS.index(word) - today.weekday()) % 7)


def _monday(today: date) -> date:
    return today - timedelta(today.weekday())


def _next_month(today: date) -> date:
    return (today.replace(day=28) + timedelta(4)).replace(day=1)


def _number(word: str) -> int | None:
    return int(word) if re.fullmatch(r"[0-9]{1,3}", word) else _NUMBERS.get(word)
