"""The server with a bug planted in it: what a tool does is committed first, and its result in a transaction of its own.

Run as a program with the command line's arguments. It shows that the harness would notice.
"""

from typing import Any

from famulus.cli.main import main
from famulus.runs import carrying


async def _act_and_commit(tool: Any, context: Any, given: Any) -> Any:
    done = await tool.act(context, given)
    await context.session.commit()
    return done


if __name__ == "__main__":
    carrying._in_time = _act_and_commit
    main()
