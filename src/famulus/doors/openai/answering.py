"""From a request to its run: the thread it is asked in, the start, and the wait for its end or the stream of it."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request, Response

from famulus.conversations.beginning import Beginning
from famulus.doors.following import Batch, until_it_rests
from famulus.doors.openai.places import place_of
from famulus.doors.openai.shapes import farewell
from famulus.doors.sse import EventStream, Pipe
from famulus.doors.watch import Watched
from famulus.identity.deps import get_principal
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.runs.approvals import Approvals
from famulus.runs.ask import Ask, Started
from famulus.runs.events import START, Entry
from famulus.runs.exchanges import Exchanges
from famulus.runs.service import Runs
from famulus.runs.title import first_words
from famulus.runs.views import RunView


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What answers are made with."""

    database: Database
    runs: Runs
    approvals: Approvals
    exchanges: Exchanges


async def _kitchen(request: Request) -> Kitchen:
    state = request.app.state
    return Kitchen(
        cast(Database, state.database),
        cast(Runs, state.runs),
        cast(Approvals, state.approvals),
        cast(Exchanges, state.exchanges),
    )


KitchenDep = Annotated[Kitchen, Depends(_kitchen)]


class Writer(Protocol):
    """Writes a run's events in the words of one door."""

    def frames(self, batch: Batch) -> bytes:
        """What goes out for some events; with None, the end."""
        ...


async def start_in_new_thread(
    kitchen: Kitchen, principal: Principal, model: str, ask: Ask, *, fleeting: bool
) -> Started:
    """Ask in a thread of its own with the model that was named."""
    place = place_of(model)
    title = (first_words(ask.text) or model)[:200] if fleeting else None
    where = Beginning(place.course_id, place.assistant_id, title, fleeting=fleeting, at_home=True)
    return (await kitchen.exchanges.begin(principal, ask, where))[1]


class _Unread:
    """A reader who waits for the end alone, so that nothing wakes it before."""

    @property
    def encode(self) -> Callable[[list[Entry]], bytes]:
        return _nothing

    def push(self, piece: bytes) -> bool:
        return True

    async def drain(self) -> None: ...


def _nothing(_entries: list[Entry]) -> bytes:
    return b""


async def wait_for_end(kitchen: Kitchen, request: Request, principal: Principal, run_id: str) -> RunView:
    """The run once it has ended, or waits for a person; for whoever may still see it then."""
    async with aclosing(await kitchen.runs.follow(principal, run_id, START, _Unread())) as batches:
        async for _ in batches:
            pass
    return await kitchen.runs.get(await get_principal(request), run_id)


async def journalled(kitchen: Kitchen, principal: Principal, run_id: str) -> list[Entry]:
    """Everything that the journal has of a run that waits or has ended."""
    entries: list[Entry] = []
    while found := await kitchen.runs.events(principal, run_id, entries[-1].id if entries else START):
        entries += found
    return entries


async def streamed(
    kitchen: Kitchen, request: Request, principal: Principal, run_id: str, writer: Writer
) -> Response:
    """The run's events in the door's own words; from the beginning, for a writer has to know what went before."""
    pipe = Pipe[Batch](writer.frames)
    source = await kitchen.runs.follow(principal, run_id, START, pipe)
    stream = EventStream(until_it_rests(source), pipe)
    return Watched(stream, request, principal, run_id, last_words=farewell)
