"""The short memory: one look for many askers, nothing stale after forgetting, no failure kept."""

import asyncio

import pytest

from famulus.kernel.memory import Memory


class Looks:
    """A look-up that counts its calls and waits to be let go."""

    def __init__(self) -> None:
        self.count = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.count += 1
        mine = self.count
        await self.go.wait()
        return mine


async def test_many_askers_share_one_look() -> None:
    memory, look = Memory[str, int](seconds=60, size=10), Looks()
    asking = [asyncio.create_task(memory.get("a", look)) for _ in range(100)]
    await asyncio.sleep(0)
    asking[0].cancel()
    look.go.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [1] * 99
    assert await memory.get("a", look) == 1


async def test_what_is_forgotten_while_it_is_looked_up_is_not_remembered() -> None:
    memory, look = Memory[str, int](seconds=60, size=10), Looks()
    before = asyncio.create_task(memory.get("a", look))
    await asyncio.sleep(0)
    memory.forget()
    after = asyncio.create_task(memory.get("a", look))
    await asyncio.sleep(0)
    look.go.set()
    assert (await before, await after) == (1, 2)
    assert await memory.get("a", look) == 2


async def test_a_failure_is_not_remembered() -> None:
    memory = Memory[str, int](seconds=60, size=10)

    async def fails() -> int:
        raise LookupError

    async def works() -> int:
        return 7

    with pytest.raises(LookupError):
        await memory.get("a", fails)
    assert await memory.get("a", works) == 7


async def test_answers_grow_old_and_the_oldest_make_room() -> None:
    look = Looks()
    look.go.set()
    short = Memory[str, int](seconds=0, size=10)
    assert [await short.get("a", look), await short.get("a", look)] == [1, 2]
    small = Memory[str, int](seconds=60, size=1)
    assert [await small.get(key, look) for key in ("a", "b", "b", "a")] == [3, 4, 4, 5]
