"""Which of many tools fit a question best: BM25 over the words of their names and descriptions. Pure.

What has more words than a model should read is not told to it at once. It is told of those that fit what was asked, and
of `find_tools`, with which it looks for others; whatever is permitted can be called, told of or not.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from famulus.llm.protocol import ToolSpec
from famulus.llm.stems import content_stems, stem
from famulus.tools.arguments import Arguments, spec_of
from famulus.tools.contract import Done, Tool, ToolContext
from famulus.tools.offer import Offer

MOST_TOLD = 20
"""Tools from outside that a model is told of at once."""
FOUND = 10
FIND = "find_tools"
K1, B = 1.2, 0.75
"""How soon a repeated word counts no more, and how much a long description is held against it."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W_a-zA-Z]+")
SHOWN = 300


class FindTools(Arguments):
    """What is wanted."""

    query: str
    """In a few words, what the tool should do."""


def ranked(query: str, tools: Sequence[Tool]) -> list[Tool]:
    """The tools, those that fit best first; those that fit alike in their own order."""
    wanted = {stem(word) for word in _words(query)} | content_stems(query)
    texts = [_words(f"{tool.name} {tool.name} {tool.description}") for tool in tools]
    counts = [Counter(map(stem, words)) for words in texts]
    average = sum(map(len, texts)) / len(texts) if texts else 0.0
    scores = [0.0] * len(tools)
    for word in sorted(wanted):
        having = sum(word in each for each in counts)
        if not having:
            continue
        rarity = math.log(1 + (len(tools) - having + 0.5) / (having + 0.5))
        for n, each in enumerate(counts):
            often = each[word]
            scores[n] += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * len(texts[n]) / average))
    order = sorted(range(len(tools)), key=lambda n: (-scores[n], n))
    return [tools[n] for n in order]


def matching(query: str, tools: Sequence[Tool]) -> list[Tool]:
    """Those that have a word of the query, the best first."""
    wanted = {stem(word) for word in _words(query)}
    return [
        tool
        for tool in ranked(query, tools)
        if wanted & {stem(word) for word in _words(f"{tool.name} {tool.description}")}
    ]


def _words(text: str) -> list[str]:
    """The words of a text, those within `getOrder_byId` as well."""
    return [word.lower() for word in _WORD.findall(text)]


@dataclass(slots=True)
class Told:
    """What of an offer a model is told, step by step. Everything of the offer can be called all the while."""

    tools: Mapping[str, Tool]
    """By name: all that is permitted, and `find_tools` where not all of it is told."""
    told: tuple[ToolSpec, ...]

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of in its next step."""
        return self.told


def tell(offer: Offer, question: Callable[[], str], used: Iterable[str] = ()) -> Told:
    """What a model is told of an offer that it answers a question with; `used` are names it has called already.

    The question is asked for where there is something to choose.
    """
    outside = [tool for tool in offer.tools.values() if tool.source]
    if len(outside) <= MOST_TOLD:
        return Told(offer.tools, offer.specs)
    names = {tool.name for tool in outside}
    ours = [spec for spec in offer.specs if spec.name not in names]
    earlier = set(used) & names
    best = [tool for tool in ranked(question(), outside)[:MOST_TOLD] if tool.name not in earlier]
    chosen = [*(tool for tool in outside if tool.name in earlier), *best]
    told = Told(offer.tools, (*ours, *(spec_of(tool) for tool in chosen)))
    finder = _finder(told, outside)
    told.tools = {**offer.tools, FIND: finder}
    told.told = (*told.told, spec_of(finder))
    return told


def _finder(told: Told, outside: Sequence[Tool]) -> Tool:
    async def find(_context: ToolContext, given: FindTools) -> Done:
        found = matching(given.query, outside)[:FOUND]
        known = {spec.name for spec in told.told}
        told.told = (*told.told, *(spec_of(tool) for tool in found if tool.name not in known))
        rows = [{"name": tool.name, "description": tool.description[:SHOWN]} for tool in found]
        if not rows:
            return Done("Found no tool for that; try other words.")
        return Done(f"Found {len(rows)} tools; they can be called now.", rows)

    return Tool(
        name=FIND,
        description=(
            f"Look for tools that are not listed here: there are {len(outside)} from connected systems. Say in a few"
            " words what is to be done; the tools that are found can be called in the next step."
        ),
        parameters=FindTools,
        effect="reads",
        place="server",
        act=find,
    )
