"""A name that may mean several things: the question which one, and the answer to it. Pure.

A tool that finds several says so in a sentence with the id of each; the question shows them as a numbered list, ids
included, and the list itself is all that the answer is read with.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from famulus.llm.commands.slots import Value

_AMBIGUOUS = re.compile(r"(?:[A-Z]\w+: )?(?P<name>'.*?'|\".*?\") may mean (?P<rest>.+)", re.DOTALL)
_NAMED = re.compile(r"(?P<name>[^;].*?) \((?P<id>[a-z]{2,5}_[0-9a-z]{6,})\)(?:; )?")
_LISTED = re.compile(r"^\d+\. (?P<name>.*) `(?P<id>[a-z]{2,5}_[0-9a-z]+)`$", re.MULTILINE)
_ASKS = re.compile(r"Which (?P<argument>\w+) do you mean\?\n")
_PLACES: tuple[str, ...] = ("first", "second", "third", "fourth", "fifth", "sixth")
_NUMBERED = re.compile(
    rf"\W*(?:the |number |no\.? |#)*(?P<number>\d|{'|'.join(_PLACES)})(?: one)?\W*", re.IGNORECASE
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#!&])")


class Candidate(Struct, frozen=True):
    """One of the things that a name may mean."""

    name: str
    id: str


def plain_markdown(text: str) -> str:
    """A text of others on one line of ours, so that nothing in it is read as Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def question(failure: str, arguments: Mapping[str, object]) -> str | None:
    """How to ask which one is meant, where that is why a call failed."""
    match = _AMBIGUOUS.match(failure)
    argument = next((n for n, value in arguments.items() if match and repr(value) == match["name"]), None)
    if match is None or argument is None:
        return None
    found = [Candidate(each["name"], each["id"]) for each in _NAMED.finditer(match["rest"])]
    rows = [f"{n}. {plain_markdown(each.name)} `{each.id}`" for n, each in enumerate(found, 1)]
    return f"Which {argument} do you mean?\n\n" + "\n".join(rows) if rows else None


def read_question(text: str, arguments: Mapping[str, Value]) -> tuple[str, Sequence[Candidate]] | None:
    """The argument in question and what it may be, where a text is such a question."""
    asks = _ASKS.match(text)
    if asks is None or asks["argument"] not in arguments:
        return None
    return asks["argument"], [Candidate(each["name"], each["id"]) for each in _LISTED.finditer(text)]


def chosen(answer: str, candidates: Sequence[Candidate]) -> str | None:
    """The id of the one that an answer names: by number, by name, by a part of the name, or by id."""
    if match := _NUMBERED.fullmatch(answer.casefold()):
        said = match["number"]
        number = int(said) if said.isdecimal() else _PLACES.index(said) + 1
        return candidates[number - 1].id if 0 < number <= len(candidates) else None
    words = answer.strip().strip("“”\"'.`").casefold()
    name = plain_markdown(words)
    if not name:
        return None
    for fits in (
        [each for each in candidates if each.id == words or each.name.casefold() == name],
        [each for each in candidates if name in each.name.casefold()],
    ):
        if len(fits) == 1:
            return fits[0].id
    return None
