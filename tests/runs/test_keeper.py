"""The two background loops: what goes wrong once in one of them does not end it."""

from famulus.runs.keeper import Keeper
from tests.runs.conftest import Instance
from tests.support.waiting import until


class Stumbling(Keeper):
    """Its first sweep breaks in a way that nobody foresaw."""

    sweeps = 0

    async def _sweep(self) -> None:
        self.sweeps += 1
        if self.sweeps == 1:
            raise ValueError("unforeseen")
        await super()._sweep()


async def test_a_loop_that_broke_goes_on(instance: Instance) -> None:
    keeper = Stumbling(instance.database, instance.parts.live, instance.parts.runner)
    keeper.start()

    async def swept_again() -> bool:
        return keeper.sweeps > 2

    await until(swept_again)
    await keeper.stop()
    assert keeper.sweeps > 2
