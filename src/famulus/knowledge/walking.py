"""Personalised PageRank over passages and the names between them. Pure.

A walker begins at a passage that fits the question, or at a name in the question; goes from a passage to one of its
names, rather to a rare one, and from a name to a passage that has it, rather to one that is about it; and begins anew
every so often. Where it mostly is, is what the question leads to, in one step or several. After HippoRAG (Gutiérrez
et al. 2024), but with names that cost no model.
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
GRAPH = 4.0
"""How much the walk counts beside the ranking that it began from."""
Links = dict[int, list[tuple[int, float]]]
"""From passages to names or the other way, each with how likely it is beside the others of its source."""


class Place(NamedTuple):
    """A passage that has a name."""

    passage: int
    about: bool


@dataclass(slots=True)
class Graph:
    """Names, each with passages that have it, as far as they have been looked up."""

    names: dict[int, list[Place]] = field(default_factory=dict[int, list[Place]])
    passing: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    """Passages with names that they have in small letters."""
    mass: dict[int, float] = field(default_factory=dict[int, float])
    """Of passages, once walked."""
    _into: Links = field(default_factory=dict[int, list[tuple[int, float]]])
    _out: Links = field(default_factory=lambda: defaultdict(list))
    _arriving: dict[int, float] = field(default_factory=dict[int, float])
    _leaving: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """What the links from each name, and from each passage, are together."""
    _read: set[int] = field(default_factory=set[int])
    """Passages of `passing` that are joined to their names."""

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
            passages, names = (
                _step(at_passages, names, self._into, self._arriving),
                _step(at_names, passages, self._out, self._leaving),
            )
        self.mass = passages

    def _link(self) -> None:
        """Join the names that came since the last walk to their passages; from a passage, rarer names are likelier."""
        for name, places in self.names.items():
            if name not in self._into:
                links = self._into[name] = [
                    (place.passage, ABOUT if place.about else 1.0) for place in places
                ]
                self._arriving[name] = sum(weight for _, weight in links)
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

    def came_by(self, passage: int) -> tuple[int, int] | None:
        """The other passage from which most of the mass came, and the name between; None where none has led here."""
        best: tuple[float, int, int] | None = None
        for name, _ in self._out.get(passage, ()):
            share = _share(self._into, self._arriving, name, passage)
            sources = {place.passage for place in self.names[name]}
            sources.update(one for one, names in self.passing.items() if name in names)
            for other in sources - {passage}:
                onward = _share(self._out, self._leaving, other, name)
                flow = self.mass.get(other, 0.0) * onward * share
                if flow > 0 and (best is None or flow > best[0]):
                    best = flow, other, name
        return best and (best[1], best[2])


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
