"""Giving the things of a place another order, all at once: the courses of a track, the lessons of a course."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.models import Course, Lesson
from famulus.kernel.errors import Conflict

NAMED = 5
"""How many of those that differ a refusal names."""


class OrderDiffers(Conflict):
    """The order has to name exactly what is there now; read the list again and send all of it."""

    code = "order_differs"


async def reorder(
    session: AsyncSession,
    kind: type[Course | Lesson],
    everything: Select[str, str],
    movable: Select[str],
    wanted: Sequence[str],
) -> tuple[list[str], list[str]] | None:
    """Renumber a place's things from 1; returns the ids of the movable ones as they were and as they are now.

    `everything` gives ids and titles in the order of now, `movable` the ids of those that the asker is to put in order.
    The others, which somebody may not see, keep their places between them. None when nothing moves.
    """
    titles = {row[0]: row[1] for row in await session.execute(everything)}
    seen = set(await session.scalars(movable))
    before = [id for id in titles if id in seen]
    if set(wanted) != seen:
        raise _differs({id: titles[id] for id in before}, wanted)
    if before == list(wanted):
        return None
    following = iter(wanted)
    numbered = [next(following) if id in seen else id for id in titles]
    rows = [{"id": id, "position": place} for place, id in enumerate(numbered, 1)]
    await session.execute(update(kind), rows)
    return before, list(wanted)


def _differs(there: Mapping[str, str], wanted: Sequence[str]) -> OrderDiffers:
    named = frozenset(wanted)
    missing = [f"{title} ({id})" for id, title in there.items() if id not in named]
    strange = [id for id in wanted if id not in there]
    said = [
        f"{word}: {', '.join(some[:NAMED])}{' …' if len(some) > NAMED else ''}."
        for word, some in (("Missing", missing), ("Not among them", strange))
        if some
    ]
    return OrderDiffers(f"The order has to name exactly what is there now. {' '.join(said)}")


def changed(order: tuple[list[str], list[str]]) -> dict[str, Any]:
    """Both orders, as the audit keeps them."""
    before, after = order
    return {"before": {"order": " ".join(before)}, "after": {"order": " ".join(after)}}
