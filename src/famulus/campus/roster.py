"""Rosters: people in a CSV file, as spreadsheets of every country write it. Pure.

read_roster(bytes)   lines and problems; what is wrong with the file as a whole raises Unreadable
write_row(cells)     a line of CSV that no spreadsheet takes for a formula
"""

import codecs
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from famulus.campus.models import CourseRole, MemberRole
from famulus.identity.accounts import normal_email
from famulus.kernel.errors import FieldProblem, Invalid, TooLarge
from famulus.kernel.text import clean_text

MOST_BYTES = 5_000_000
MOST_LINES = 10_000
NAME = 200
R = TypeVar("R", bound=str)
MEMBER_ROLES: tuple[MemberRole, ...] = ("organization_admin", "teacher", "student")
COURSE_ROLES: tuple[CourseRole, ...] = ("teacher", "student")
COLUMNS = ("email", "name", "role", "course", "course_role")
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DELIMITERS = ",;\t"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that make a spreadsheet calculate instead of show."""


class Unreadable(Invalid):
    """This is no list of people: a CSV file with the columns email, and perhaps name, role, course, course_role."""

    code = "unreadable_roster"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a roster; None where a cell is empty."""

    number: int
    """In the file, from 1; the header is one of them."""
    email: str
    name: str | None
    role: MemberRole | None
    course: str | None
    """Its id or its title."""
    course_role: CourseRole | None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that says nothing that could be done."""

    number: int
    who: str
    detail: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What a file says."""

    lines: Sequence[Line]
    bad: Sequence[BadLine]


def read_roster(data: bytes) -> Roster:
    """The lines of a file. Raises Unreadable, or TooLarge for one of more than 10,000 lines or 5 MB."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"The file is larger than {MOST_BYTES:,} bytes; import it in parts.")
    text = _decoded(data)
    first, _, rest = text.partition("\n")
    declared = first.strip()[4:] if first.strip().lower().startswith("sep=") else ""
    if declared and declared in DELIMITERS:
        return _roster(_rows(rest, declared, 1))
    return _roster(_rows(text, max(DELIMITERS, key=first.count), 0))


def write_row(cells: Iterable[str]) -> str:
    """A line of CSV; a cell that a spreadsheet would calculate begins with an apostrophe, which importing removes."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return line.getvalue()


def _decoded(data: bytes) -> str:
    """By its mark; without one UTF-8 if it can be, or UTF-16 by its zeros, else what old spreadsheets write."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _decode(data, encoding)
    if b"\0" in data[:200]:
        return _decode(data, "utf-16-be" if data[:1] == b"\0" else "utf-16-le")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _decode(data, "cp1252")


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _unreadable(
            "This is text in no encoding that is known here; save it as CSV in UTF-8."
        ) from error


def _unreadable(message: str) -> Unreadable:
    return Unreadable(fields=(FieldProblem("file", message),))


def _rows(text: str, delimiter: str, before: int) -> list[tuple[int, list[str]]]:
    """The rows that say anything, each with the number of the line it begins at; `before` lines came before them."""
    rows: list[tuple[int, list[str]]] = []
    reader, at = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), before + 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((at, row))
            if len(rows) > MOST_LINES + 1:
                raise TooLarge(f"The file has more than {MOST_LINES:,} lines; import it in parts.")
            at = before + 1 + reader.line_num
    except csv.Error as error:
        raise _unreadable(f"Line {at} cannot be read: {error}.") from error
    return rows


def _roster(rows: Sequence[tuple[int, list[str]]]) -> Roster:
    if not rows:
        raise _unreadable("The file is empty.")
    header = [cell.strip().casefold() for cell in rows[0][1]]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len(set(header)) < len(header) or "email" not in header:
        known = ", ".join(COLUMNS)
        strange = f" {unknown[0][:50]!r} is none of them." if unknown else ""
        raise _unreadable(f"The first line names the columns, each once: email, and any of {known}.{strange}")
    lines: list[Line] = []
    bad: list[BadLine] = []
    for number, row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        try:
            if len(row) != len(header):
                raise ValueError(f"This line has {len(row)} cells; the first has {len(header)}.")
            lines.append(_line(number, cells))
        except ValueError as error:
            bad.append(BadLine(number, cells.get("email", "").strip()[:320].replace("\0", ""), str(error)))
    return Roster(lines, bad)


def _line(number: int, cells: Mapping[str, str]) -> Line:
    text = {name: _cell(name, cells.get(name, "")) for name in COLUMNS}
    email = text["email"]
    if email is None:
        raise ValueError("There is no e-mail address.")
    if text["course_role"] is not None and text["course"] is None:
        raise ValueError("There is a course_role, and no course.")
    return Line(
        number,
        normal_email(email),
        text["name"],
        _one_of("role", text["role"], MEMBER_ROLES),
        text["course"],
        _one_of("course_role", text["course_role"], COURSE_ROLES),
    )


def _cell(name: str, value: str) -> str | None:
    value = value.strip()
    if value.startswith("'") and value[1:].startswith(FORMULA):
        value = value[1:]
    if not value:
        return None
    try:
        return clean_text(value, 320 if name == "email" else NAME, single_line=True)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _one_of(name: str, value: str | None, known: tuple[R, ...]) -> R | None:
    if value is None:
        return None
    for each in known:
        if each == value.casefold():
            return each
    raise ValueError(f"{name}: {value!r} is none of {', '.join(known)}.")
