"""The server with a bug planted in it: what a tool does is committed first, and its result in a transaction of its own.

Run as a program with the command line's arguments. It shows that the harness would notice.
"""

from typing import Any

from famulus.cli.main import main
from famulus.kernel.database import run_in
from famulus.kernel.lane import just
from famulus.runs import carrying

_act_in = carrying.act_in


async def _act_and_commit(session: Any, plan: Any, context: Any) -> Any:
    done = await _act_in(session, plan, context)
    await run_in(session, just())
    await session.commit()
    return done


if __name__ == "__main__":
    carrying.act_in = _act_and_commit
    main()
