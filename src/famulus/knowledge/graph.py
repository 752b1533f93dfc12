"""The graph stage, last in a search: where the names in the question and in the best passages lead.

    question ─▶ its names that the scope knows (none: nothing is done)
    best passages ─▶ their names ─▶ passages of the scope that have them ─▶ walk ─▶ once more from the best by now

Nothing is held in memory: what is looked up are rows of `mentions` in the transaction of the search, filed by scope, so
that no passage out of reach is ever stepped on, and what was written or removed counts at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.index import Scope
from famulus.knowledge.mentions import nodes, places
from famulus.knowledge.names import Span, spans
from famulus.knowledge.relating import edges
from famulus.knowledge.walking import Edge, Graph, Place

STARTS = 10
"""Of the best passages, so many are asked for their names."""
READ = 5
"""Of so many, the text is looked through for names in small letters, too."""
READ_BEFORE = 256
"""Texts of which it is remembered what may be a name in them: some 20 kB each."""
LATER = 5
"""Passages whose names are looked up for the second walk: of the best of the first one that have not been, whether
the search had found them already or not."""
BEST = 20
"""What they are among."""
MOST_SPANS = 300
LONGEST_IN_TEXT = 4
MOST_QUESTION = 1_000
"""Characters of a question that are looked through for names."""
MOST_STEPS = 4
"""Of the way to a passage, as it is told."""


@dataclass(frozen=True, slots=True)
class Start:
    """A passage that was found before, by its number."""

    number: int
    score: float
    """0 to 1."""
    odds: float
    """The same as log-odds, up to a constant."""
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """That a passage was reached from another one by a name they share, or by names that are related."""

    passage: int
    name: int
    said: tuple[str, str, str] | None = None
    """What a model has read of it: subject, relation, object."""


@dataclass(frozen=True, slots=True)
class Led:
    """Where the graph has led."""

    ranking: list[tuple[int, float]]
    """Passages with scores from 0 to 1, best first."""
    graph: Graph
    starts: frozenset[int]

    def path(self, passage: int) -> list[Step]:
        """How a passage was reached, from one that was found before on; empty for those themselves.

        What was said of the names in between by a passage that was not stepped on is on the way as well.
        """
        steps: list[Step] = []
        seen = {passage}
        while passage not in self.starts and len(steps) < MOST_STEPS:
            came = self.graph.came_by(passage)
            if came is None or came.passage in seen:
                break
            edge = self.graph.said_of(came)
            if edge is not None and edge.passage not in (*seen, came.passage):
                steps.append(Step(edge.passage, came.onward, edge.said))
                edge = self.graph.said_of(came._replace(onward=came.name))
            steps.append(Step(came.passage, came.name, edge and edge.said))
            passage = came.passage
            seen.add(passage)
        return steps[::-1]


async def lead(
    session: AsyncSession, question: str, starts: Sequence[Start], scope: Scope, most: int
) -> Led | None:
    """At most so many passages of the scope, as the graph ranks them; None where the question names nothing in it."""
    seeds, said = await _seeds(session, question, scope)
    if not seeds or not starts:
        return None
    ranked = {start.number: start.score for start in starts}
    odds = {start.number: start.odds for start in starts}
    graph = Graph({name: found for name, found in seeds.items() if _is_node(found)})
    await _relate(session, graph, said, scope)
    first = [start.number for start in starts[:STARTS]]
    await _add(session, graph, first, scope, starts[:READ])
    graph.walk(odds, seeds)
    new = [number for number, _ in graph.rerank(ranked)[:BEST] if number not in first][:LATER]
    if new:
        await _add(session, graph, new, scope)
        graph.walk(odds, seeds)
    return Led(graph.rerank(ranked)[:most], graph, frozenset(ranked))


async def _seeds(
    session: AsyncSession, question: str, scope: Scope
) -> tuple[dict[int, list[Place]], list[Edge]]:
    """The names in a question that the scope knows, with their places; of names within names only the longest.

    With the relations that they have.
    """
    every = spans(question[:MOST_QUESTION], most=MOST_SPANS)
    numbers = {span.number for span in every}
    said = await edges(session, (), numbers, scope.words) if scope.related else []
    related = {name for edge in said for name in (edge.subject, edge.object)}
    known = await places(session, numbers, scope.words)
    taken: set[int] = set()
    found: dict[int, list[Place]] = {}
    for span in every:
        words = range(span.first, span.last + 1)
        there = known.get(span.number, [])
        if taken.isdisjoint(words) and (span.number in related or _is_name(span, there)):
            found[span.number] = there
            taken.update(words)
    return found, [edge for edge in said if not found.keys().isdisjoint((edge.subject, edge.object))]


def _is_name(span: Span, found: Sequence[Place]) -> bool:
    return bool(found) and (span.written_as_name or _is_node(found))


def _is_node(found: Sequence[Place]) -> bool:
    return any(place.about for place in found)


async def _add(
    session: AsyncSession, graph: Graph, passages: Sequence[int], scope: Scope, read: Sequence[Start] = ()
) -> None:
    """Put the names of passages into the graph, and what the material is about, where those to be read say so.

    Only what something is about is a node. That two passages name the same year or country in passing says little.
    """
    small = {start.number: _small(start.text) for start in read}
    besides = set[int]().union(*small.values())
    graph.names |= await nodes(session, passages, besides, scope.words, graph.names)
    if scope.related:
        await _relate(session, graph, await edges(session, passages, (), scope.words), scope)
    for number, those in small.items():
        have = those & graph.names.keys()
        graph.passing[number] = {name for name in have if not _has(graph.names[name], number)}


async def _relate(session: AsyncSession, graph: Graph, said: Sequence[Edge], scope: Scope) -> None:
    """Put relations into the graph: what they are between is a node, wherever it is named."""
    fresh = {name for edge in said for name in (edge.subject, edge.object)} - graph.names.keys()
    graph.names |= await places(session, fresh, scope.words)
    graph.relate(said)


@lru_cache(maxsize=READ_BEFORE)
def _small(content: str) -> frozenset[int]:
    """What may be a name in a text, also in small letters."""
    return frozenset(span.number for span in spans(content, LONGEST_IN_TEXT, MOST_SPANS))


def _has(found: Sequence[Place], passage: int) -> bool:
    return any(place.passage == passage for place in found)
