"""The server with a bug planted in it: messages are acknowledged a tenth of a second before they are committed.

Run as a program with the command line's arguments. It shows that the harness would notice.
"""

import asyncio
from functools import partial
from typing import Any

from famulus.cli.main import main
from famulus.kernel import database
from famulus.kernel.lane import Lane, MakeScript, Script
from famulus.runs.sql.accept import accept

DELAY = 0.1


class _Undo(Exception):
    """Rolls a rehearsal back."""


def _rehearsal(script: MakeScript, heard: list[Any]) -> Script:
    heard.append((yield from script()))
    raise _Undo()


class HastyLane(Lane):
    """Tries an acceptance, undoes it, answers with what it would have been, and commits it later."""

    async def write(self, script: MakeScript) -> Any:
        if not isinstance(script, partial) or script.func is not accept:
            return await super().write(script)
        heard: list[Any] = []
        try:
            await super().write(partial(_rehearsal, script, heard))
        except _Undo:
            later.add(asyncio.create_task(self._commit(script)))
        return heard[0]

    async def _commit(self, script: MakeScript) -> None:
        await asyncio.sleep(DELAY)
        await super().write(script)


later: set[asyncio.Task[None]] = set()

if __name__ == "__main__":
    database.Lane = HastyLane
    main()
