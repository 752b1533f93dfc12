"""Names: what a passage calls by name, and what it is about. The nodes of the graph, found without a model.

    Ada Lowe, Port Ellery                  words that begin with a capital, with the small ones between them
    `cmd_vel`, LaserScan, rclpy.spin       symbols; a dotted one also by its last part
    /pets/{id}                             paths of an API or a topic
    **dead reckoning**, “dead reckoning”   what the author set apart
    [frames](../frames.md)                 the file that a link leads to

A passage is *about* its document's title and the heading it stands under, and names the rest in passing. Two spellings
are one name when their words have the same stems. A name is kept as a number, 63 bits of a hash of those.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from pathlib import PurePosixPath
from typing import NamedTuple

from famulus.knowledge.words import STOP, WORD, fold, stem_of

MOST = 64
"""Names of one passage."""
LONGEST = 8
"""Words of a name."""
SHORTEST_WORD = 4
"""Letters that a single word in small letters needs, to be looked up as a name."""
_UPPER = "A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ"
_WORD = rf"(?:[{_UPPER}0-9][\w’'\-.&]*\w|[{_UPPER}])"
_SMALL = "(?:of|the|and|de|la|le|du|des|von|van|der|den|for|in|on|at|to|a|&|y|e|di|da|del|el|al|bin|ibn)"
_CAPITALS = re.compile(rf"(?<!\w){_WORD}(?: (?:{_SMALL} ){{0,2}}{_WORD})*")
_JOINT = re.compile(r" (?:of|the|and|for|in|on|at|to|a)(?: the)? ")
_SYMBOL = re.compile(
    r"`([^`\n]{2,80})`|\b([A-Za-z]\w*(?:[_.]\w+)+|[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w*)\b"
    r"|(?<![\w/:])(/[\w{}\-]+(?:/[\w{}\-.]+)+)"
)
_SET_APART = re.compile(r"\*\*([^*\n]{2,60})\*\*|\[([^\]\n]{2,60})\]\([^)\s]+\)|[“\"]([^”\"\n]{3,60})[”\"]")
_ASIDE = re.compile(r"\s*\([^)]*\)\s*$")
_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)
_NUMBERING = re.compile(r"^(?:[A-Z][a-z]+ )?\d+(?:\.\d+)*[.:)]?\s+(?:[-–—:]\s+)?")
_PLAIN = STOP | frozenset(
    """he him she they it we us i his their this that these those there here then now while after before during since
    although though however also as see note example first second third one two three new if when where who which what
    why how because both each many some most later today use using chapter lesson section figure table""".split()
)
"""Words that are no names by themselves, however they are written."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one passage, each once."""

    about: tuple[int, ...] = ()
    passing: tuple[int, ...] = ()


def names_of(title: str, heading_path: Sequence[str], text: str, links: Sequence[str] = ()) -> Names:
    """What a passage is about, and what else it names or, by addresses on its own site, points to."""
    about: dict[int, None] = {}
    for heading in (title, *heading_path[-1:]):
        about.update(dict.fromkeys(number_of(key) for key in map(key_of, _spellings(heading)) if key))
    passing: dict[int, None] = {}
    said = (number for _, number in spellings(" \n".join((*heading_path[:-1], text))))
    for number in chain(map(file_number, links), said):
        if number not in about:
            passing[number] = None
            if len(passing) == MOST:
                break
    return Names(tuple(about), tuple(passing))


def spellings(text: str) -> Iterator[tuple[str, int]]:
    """The names in a text as they are written, each with its number."""
    for raw in _found(text):
        key = key_of(raw)
        if key and not (" " not in key and _is_plain(raw, key)):
            yield raw, number_of(key)


def spelled(number: int, text: str) -> str | None:
    """How a text spells a name, if it has it."""
    return next((raw for raw, found in spellings(text) if found == number), None)


def _found(text: str) -> Iterator[str]:
    for match in _CAPITALS.finditer(text):
        raw = _without_plain(match.group())
        if raw:
            yield raw
            parts = _JOINT.split(raw)
            yield from parts if len(parts) > 1 else ()
    for match in _SYMBOL.finditer(text):
        raw = match[match.lastindex or 0]
        yield raw
        last = re.split(r"[./:]+", raw)[-1]
        if last != raw and len(last) >= SHORTEST_WORD:
            yield last
    for match in _SET_APART.finditer(text):
        yield match[match.lastindex or 0]


def _spellings(heading: str) -> Iterator[str]:
    """What a heading may be called by: as it stands; without its number, its article, what it says in brackets."""
    yield heading
    yield _ARTICLE.sub("", _ASIDE.sub("", _NUMBERING.sub("", heading)))


def _without_plain(raw: str) -> str:
    words = raw.split(" ")
    while words and words[0].lower() in _PLAIN:
        words.pop(0)
    return " ".join(words)


def _is_plain(raw: str, key: str) -> bool:
    return len(key) < 2 or raw.lower() in _PLAIN or (key.isdigit() and len(key) < 3)


@lru_cache(maxsize=20_000)
def key_of(spelling: str) -> str:
    """The stems of a name's words; empty for what is too long to be one."""
    words = _stems(spelling)
    return " ".join(words) if len(words) <= LONGEST else ""


def number_of(key: str) -> int:
    """The number that stands for a name."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> 1


def file_number(path: str) -> int:
    """The number that stands for a file, by its name without folder and ending, as the addresses of pages often are."""
    return number_of("/" + PurePosixPath(re.split("[?#]", path, maxsplit=1)[0]).stem.lower())


def _stems(text: str) -> list[str]:
    return [stem_of(word) for word in WORD.findall(fold(text)) if word != "s"]


class Span(NamedTuple):
    """Words side by side that may be a name."""

    first: int
    last: int
    number: int
    written_as_name: bool
    """With a capital or a digit; otherwise it is one only if something in the material is about it."""


def spans(text: str, longest: int = LONGEST, most: int = sys.maxsize) -> list[Span]:
    """What in a text may be a name, longest first: at most so many."""
    words = [word for word in WORD.findall(text) if word != "s"]
    stems = [stem_of(fold(word)) for word in words]
    lower = [word.lower() for word in words]
    plain = [word in _PLAIN for word in lower]
    marked = [
        word != small or (not word.isalpha() and any(map(str.isdigit, word)))
        for word, small in zip(words, lower, strict=True)
    ]
    found: list[Span] = []
    for size in range(min(longest, len(words)), 0, -1):
        for first in range(len(words) - size + 1):
            last = first + size - 1
            if plain[last] or (plain[first] and not (size > 1 and marked[first])):
                continue
            named = True in marked[first : last + 1]
            if size > 1 or named or len(words[first]) >= SHORTEST_WORD:
                found.append(Span(first, last, number_of(" ".join(stems[first : last + 1])), named))
                if len(found) == most:
                    return found
    return found
