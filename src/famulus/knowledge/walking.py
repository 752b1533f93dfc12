"""Personalised PageRank over passages and the names between them. Pure.

A walker begins at a passage that fits the question, or at a name in the question; goes from a passage to one of its
names, rather to a rare one, and from a name to a passage that has it, rather to one that is about it; and begins anew
every so often. Where it mostly is, is what the question leads to, in one step or several. After HippoRAG (Gutiérrez
et al. 2024), but with names that cost no model. Where one has read how names are related, the walker follows that, too.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

ONWARD = 0.7
"""The probability of going on rather than beginning anew."""
STEPS = 8
LEAST = 1e-5
"""Probability that is not followed any further."""
FROM_NAMES = 0.5
"""The share of beginnings at the question's names; the others are at passages."""
ABOUT = 8.0
"""How much likelier a name leads to a passage that is about it than to one that names it in passing."""
RELATED = 2.0
"""How much likelier a name leads to another one that it is said to be related to."""
GRAPH = 4.0
"""How much the walk counts beside the ranking that it began from."""
Links = dict[int, list[tuple[int, float]]]
"""From passages to names or the other way, each with how likely it is beside the others of its source."""


class Place(NamedTuple):
    """A passage that has a name."""

    passage: int
    about: bool


class Edge(NamedTuple):
    """That a passage says two names to be related."""

    passage: int
    subject: int
    object: int
    said: tuple[str, str, str]
    """In words, with the relation in the middle."""


class Came(NamedTuple):
    """From where a passage was reached."""

    passage: int
    name: int
    """What that one names."""
    onward: int
    """What this one names: the same, or what is related to it."""


@dataclass(slots=True)
class Graph:
    """Names, each with passages that have it, as far as they have been looked up."""

    names: dict[int, list[Place]] = field(default_factory=dict[int, list[Place]])
    passing: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """Passages with names that they have in small letters."""
    mass: dict[int, float] = field(default_factory=dict[int, float])
    """Of passages, once walked."""
    _edges: dict[Edge, None] = field(default_factory=dict[Edge, None])
    _beside: dict[int, dict[int, float]] = field(default_factory=dict[int, dict[int, float]])
    """Names that each name is related to."""
    _into: Links = field(default_factory=dict[int, list[tuple[int, float]]])
    _out: Links = field(default_factory=lambda: defaultdict(list))
    _arriving: dict[int, float] = field(default_factory=dict[int, float])
    _leaving: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """What the links from each name, and from each passage, are together."""
    _read: set[int] = field(default_factory=set[int])
    """Passages of `passing` that are joined to their names."""

    def relate(self, edges: Iterable[Edge]) -> None:
        """Join names that are said to be related, each of the two to the passage that says so as well."""
        fresh = dict.fromkeys(edge for edge in edges if edge not in self._edges)
        for edge in fresh:
            for name, other in ((edge.subject, edge.object), (edge.object, edge.subject)):
                found = self.names.setdefault(name, [])
                if all(place.passage != edge.passage for place in found):
                    found.append(Place(edge.passage, about=False))
                beside = self._beside.setdefault(name, {})
                beside[other] = beside.get(other, 0.0) + RELATED
        self._edges |= fresh
        if fresh:
            for links in (self._into, self._out, self._arriving, self._leaving, self._read):
                links.clear()

    def walk(self, odds: Mapping[int, float], seeds: Iterable[int]) -> None:
        """Find the mass of every passage. `odds` has relevances as log-odds, `seeds` are the question's names.

        A beginning is as likely at a passage as that is to be the one that is asked for: a softmax.
        """
        self._link()
        at_names = _scaled(
            {name: 1 / len(self.names[name]) for name in seeds if name in self.names}, FROM_NAMES
        )
        best = max(odds.values(), default=0.0)
        likely = {passage: math.exp(value - best) for passage, value in odds.items()}
        at_passages = _scaled(likely, 1 - FROM_NAMES if at_names else 1.0)
        passages, names = dict(at_passages), dict(at_names)
        for _ in range(STEPS):
            before = names
            passages, names = (
                _step(at_passages, names, self._into, self._arriving),
                _step(at_names, passages, self._out, self._leaving),
            )
            self._go_beside(before, names)
        self.mass = passages

    def _go_beside(self, before: Mapping[int, float], names: dict[int, float]) -> None:
        """Add what reaches names from those that they are related to."""
        for name, beside in self._beside.items():
            if (share := before.get(name, 0.0)) >= LEAST:
                for other, weight in beside.items():
                    names[other] = names.get(other, 0.0) + ONWARD * share * weight / self._arriving[name]

    def _link(self) -> None:
        """Join the names that came since the last walk to their passages; from a passage, rarer names are likelier."""
        for name, places in self.names.items():
            if name not in self._into:
                links = self._into[name] = [
                    (place.passage, ABOUT if place.about else 1.0) for place in places
                ]
                beside = self._beside.get(name, {})
                self._arriving[name] = sum(weight for _, weight in links) + sum(beside.values())
                self._lead_out(name, (place.passage for place in places))
        for passage in self.passing.keys() - self._read:
            self._read.add(passage)
            for name in self.passing[passage] & self.names.keys():
                self._lead_out(name, (passage,))

    def _lead_out(self, name: int, passages: Iterable[int]) -> None:
        rarity = 1 / math.log(1.7 + len(self.names[name]))
        link = name, rarity
        for passage in passages:
            self._out[passage].append(link)
            self._leaving[passage] += rarity

    def rerank(self, ranked: Mapping[int, float]) -> list[tuple[int, float]]:
        """Passages with scores from 0 to 1, best first: what the walk found and what it began from, together."""
        most = max(self.mass.values(), default=0.0) or 1.0
        scores = {passage: GRAPH * math.sqrt(mass / most) for passage, mass in self.mass.items()}
        for passage, relevance in ranked.items():
            scores[passage] = scores.get(passage, 0.0) + relevance
        return sorted(
            ((passage, score / (1 + GRAPH)) for passage, score in scores.items()),
            key=lambda pair: (-pair[1], pair[0]),
        )

    def came_by(self, passage: int) -> Came | None:
        """The other passage from which most of the mass came, and the names between; None where none has led here."""
        best: tuple[float, Came] | None = None
        for onward, _ in self._out.get(passage, ()):
            share = _share(self._into, self._arriving, onward, passage)
            beside = self._beside.get(onward, {})
            ways = {other: share * weight / self._arriving[other] for other, weight in beside.items()}
            for name, way in {**ways, onward: share}.items():
                for other in self._having(name) - {passage}:
                    flow = self.mass.get(other, 0.0) * _share(self._out, self._leaving, other, name) * way
                    if flow > 0 and (best is None or flow > best[0]):
                        best = flow, Came(other, name, onward)
        return best and best[1]

    def said_of(self, came: Came) -> Edge | None:
        """What is said of the names between: by the passage that it came from, or else by another one."""
        pair = {came.name, came.onward}
        found = [edge for edge in self._edges if pair <= {edge.subject, edge.object}]
        here = [edge for edge in found if edge.passage == came.passage]
        return next(iter(here or (found if len(pair) == 2 else ())), None)

    def _having(self, name: int) -> set[int]:
        found = {place.passage for place in self.names[name]}
        return found.union(one for one, names in self.passing.items() if name in names)


def _share(links: Links, wholes: Mapping[int, float], source: int, wanted: int) -> float:
    """The probability of one link."""
    return next((weight / wholes[source] for target, weight in links[source] if target == wanted), 0.0)


def _scaled(weights: dict[int, float], share: float) -> dict[int, float]:
    whole = sum(weights.values())
    return {key: share * weight / whole for key, weight in weights.items()} if whole else {}


def _step(
    beginnings: Mapping[int, float],
    mass: Mapping[int, float],
    links: Links,
    wholes: Mapping[int, float],
) -> dict[int, float]:
    found = {key: (1 - ONWARD) * share for key, share in beginnings.items()}
    get = found.get
    for source, share in mass.items():
        if share < LEAST or source not in wholes:
            continue
        onward = ONWARD * share / wholes[source]
        for target, weight in links[source]:
            found[target] = get(target, 0.0) + onward * weight
    return found
