"""The live tail: what a follower gets from it, and when it has to ask the journal."""

import asyncio

import pytest

from famulus.runs.channel import KEPT, Channel
from famulus.runs.events import START, Entry, EventId, RunCancelled, TextDelta


def spoken(count: int, epoch: int = 1) -> Channel:
    channel = Channel(epoch)
    for n in range(1, count + 1):
        channel.publish([TextDelta(str(n))])
    return channel


def numbers(channel: Channel, after: EventId) -> list[int] | None:
    entries = channel.since(after)
    return None if entries is None else [entry.id.n for entry in entries]


@pytest.mark.parametrize(
    ("after", "expected"),
    [(START, [1, 2, 3]), (EventId(1, 0), [1, 2, 3]), (EventId(1, 2), [3]), (EventId(1, 3), [])],
)
def test_since(after: EventId, expected: list[int]) -> None:
    assert numbers(spoken(3), after) == expected


def test_another_epoch_is_the_journals() -> None:
    assert numbers(spoken(3, epoch=2), EventId(1, 7)) is None
    assert numbers(spoken(3, epoch=2), START) is None
    assert numbers(spoken(3, epoch=1), EventId(2, 1)) is None


def test_what_is_not_journalled_is_never_forgotten() -> None:
    channel = spoken(100)
    channel.trim(10)

    assert numbers(channel, EventId(1, 10)) == list(range(11, 101))
    assert numbers(channel, EventId(1, 9)) is None


def test_the_newest_stay_though_they_are_journalled() -> None:
    channel = spoken(100)
    channel.trim(100)

    assert numbers(channel, EventId(1, 100 - KEPT)) == list(range(101 - KEPT, 101))
    assert numbers(channel, EventId(1, 99 - KEPT)) is None
    channel.trim(100)
    assert channel.next_n == 101


def test_trimming_a_short_channel_keeps_all() -> None:
    channel = spoken(5)
    channel.trim(5)

    assert numbers(channel, START) == [1, 2, 3, 4, 5]


async def test_waiting_ends_with_news_a_nudge_or_the_end() -> None:
    channel = Channel(1)
    for wake in (lambda: channel.publish([TextDelta("x")]), channel.nudge, channel.end):
        waiting = [asyncio.ensure_future(channel.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        wake()
        await asyncio.wait_for(asyncio.gather(*waiting), 30)
    assert channel.ended


async def test_a_waiter_that_left_does_no_harm() -> None:
    channel = Channel(1)
    waiting = asyncio.ensure_future(channel.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    channel.publish([TextDelta("x")])

    assert numbers(channel, START) == [1]


class Ends:
    """A follower's way out that takes what it is given, up to a number of pieces."""

    def __init__(self, room: int = 1000) -> None:
        self.taken: list[int] = []
        self.room = room
        self.ready = asyncio.Event()
        self.encode = encode

    def push(self, piece: bytes) -> bool:
        self.taken += piece
        self.room -= 1
        return self.room > 0

    async def drain(self) -> None:
        if self.room <= 0:
            await self.ready.wait()


def encode(entries: list[Entry]) -> bytes:
    encoded.append(len(entries))
    return bytes(entry.id.n for entry in entries)


encoded: list[int] = []
END = RunCancelled("run_1")


async def fed(channel: Channel, pipe: Ends) -> asyncio.Task[EventId]:
    task = asyncio.create_task(channel.feed(pipe, EventId(channel.epoch, channel.next_n - 1)))
    await asyncio.sleep(0)
    return task


async def test_who_keeps_up_is_given_all_but_the_end() -> None:
    channel, pipes = spoken(2), [Ends(), Ends()]
    tasks = [await fed(channel, pipe) for pipe in pipes]
    encoded.clear()

    channel.publish([TextDelta("a"), TextDelta("b")])
    channel.nudge()
    channel.publish([TextDelta("c"), END], last=True)

    assert [pipe.taken for pipe in pipes] == [[3, 4]] * 2
    assert encoded == [2, 0], "once for both"
    assert [await task for task in tasks] == [EventId(1, 4)] * 2
    assert numbers(channel, EventId(1, 4)) == [5, 6]


async def test_who_falls_behind_is_given_no_more_and_can_go_on() -> None:
    channel, slow, quick = spoken(0), Ends(room=2), Ends()
    first, other = await fed(channel, slow), await fed(channel, quick)

    for word in "abcd":
        channel.publish([TextDelta(word)])
    await asyncio.sleep(0)

    assert slow.taken == [1, 2]
    assert quick.taken == [1, 2, 3, 4]
    assert not first.done(), "its last piece is not out yet"
    slow.ready.set()
    assert await first == EventId(1, 2)
    assert numbers(channel, EventId(1, 2)) == [3, 4]
    channel.end()
    assert await other == EventId(1, 4)


async def test_a_fed_follower_that_left_is_given_nothing() -> None:
    channel, pipe = spoken(0), Ends()
    task = await fed(channel, pipe)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    channel.publish([TextDelta("x")])
    channel.end()

    assert pipe.taken == []


async def test_what_a_follower_has_from_the_journal_already_is_not_pushed() -> None:
    channel, pipe = spoken(1), Ends()
    task = asyncio.create_task(channel.feed(pipe, EventId(1, 2)))
    await asyncio.sleep(0)

    channel.publish([TextDelta("journalled before it was published")])

    assert await task == EventId(1, 2)
    assert pipe.taken == []
    assert numbers(channel, EventId(1, 2)) == []
