"""The notation that commands are written in, and how a line is matched against it. Pure.

    create [a|an] [LEVEL] track [called] [NAME] [in [the] PROJECT]

Small letters are words, `(…|…)` is a choice, `[…]` may be left out, `<…>` is a part that several have in common, and
capitals are slots: what stands there becomes an argument. Of all ways in which a line fits, the one that leaves the
fewest words to free slots is meant.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from famulus.llm.commands.form import GROUPS
from famulus.llm.commands.slots import SLOTS, Bound, Place, Value

_NOTATION = re.compile(r"[()\[\]|]|[^\s()\[\]|]+")


class Word(Struct, frozen=True):
    """A word as it stands."""

    key: str


class Slot(Struct, frozen=True):
    """A place for what the person says."""

    name: str


class Choice(Struct, frozen=True):
    """One of several ways to go on; an empty one where all may be left out."""

    ways: tuple["Way", ...]


Node = Word | Slot | Choice
Way = tuple[Node, ...]


def read_pattern(pattern: str) -> Way:
    """A pattern of the notation above."""
    ways, rest = _ways(_NOTATION.findall(pattern))
    assert not rest, f"unbalanced: {pattern}"
    return ways[0] if len(ways) == 1 else (Choice(ways),)


def _ways(symbols: Sequence[str]) -> tuple[tuple[Way, ...], Sequence[str]]:
    """The alternatives up to the bracket that closes them, and what is after it."""
    ways: list[list[Node]] = [[]]
    while symbols and symbols[0] not in ")]":
        symbol, symbols = symbols[0], symbols[1:]
        match symbol:
            case "|":
                ways.append([])
            case "(" | "[":
                inner, symbols = _ways(symbols)
                ways[-1].append(Choice((*inner, ()) if symbol == "[" else inner))
                symbols = symbols[1:]
            case _ if symbol.startswith("<"):
                ways[-1].extend(read_pattern(GROUPS[symbol.strip("<>")]))
            case _ if symbol.isupper():
                assert symbol in SLOTS, f"no slot {symbol}"
                ways[-1].append(Slot(symbol))
            case _:
                ways[-1].append(Word(symbol))
    return tuple(tuple(way) for way in ways), symbols


def first_words(way: Way) -> set[str]:
    """The words that a line of this pattern can begin with."""
    found: set[str] = set()
    for node in way:
        match node:
            case Word(key=key):
                return found | {key}
            case Slot(name=name):
                raise AssertionError(f"a command cannot begin with the slot {name}")
            case Choice(ways=ways):
                found = found.union(*(first_words(each) for each in ways))
                if () not in ways:
                    return found
    return found


def needed_words(way: Way) -> list[frozenset[str]]:
    """Of each of these, a line of this pattern has a word: what lacks one need not be matched."""
    found: list[frozenset[str]] = []
    for node in way:
        match node:
            case Word(key=key):
                found.append(frozenset((key,)))
            case Choice(ways=ways):
                inner = [needed_words(each) for each in ways]
                if all(inner):
                    rare = [max(each, key=_rarity) for each in inner]
                    found.append(frozenset(word for words in rare for word in words))
            case Slot():
                pass
    return [each for each in found if all(word[0].isalpha() for word in each)]


def _rarity(words: frozenset[str]) -> int:
    """Long words are rarer than short ones."""
    return min(len(word) for word in words)


class Reading(Struct, frozen=True):
    """One way in which a line fits a pattern."""

    bound: tuple[Bound, ...]

    def arguments(self) -> dict[str, Value]:
        """What is in the slots, by argument."""
        return {name: value for each in self.bound for name, value in each.value.items()}

    def cost(self) -> tuple[int, int]:
        """How much is left to free slots: the lowest is meant. Among equals the first name is the longest."""
        free = [each.end - each.start for each in self.bound if SLOTS[each.slot].free]
        return sum(free), -free[0] if free else 0


def best_reading(way: Way, place: Place) -> Reading | None:
    """How a line fits a pattern from a place to its end, if it does."""
    end = len(place.typed.tokens)
    readings = [Reading(bound) for at, bound in _follow(way, place, ()) if at == end]
    return min(readings, key=Reading.cost, default=None)


def _follow(way: Way, place: Place, bound: tuple[Bound, ...]) -> Iterator[tuple[int, tuple[Bound, ...]]]:
    """Where a line can be after this much of the pattern, and what is in the slots by then."""
    if not way:
        yield place.at, bound
        return
    head, rest = way[0], way[1:]
    match head:
        case Word(key=key):
            after = place.after_word(key)
            if after is not None:
                yield from _follow(rest, place.moved(after), bound)
        case Choice(ways=ways):
            for each in ways:
                yield from _follow((*each, *rest), place, bound)
        case Slot(name=name):
            for end, value in SLOTS[name].ends(place):
                yield from _follow(rest, place.moved(end), (*bound, Bound(name, place.at, end, value)))
