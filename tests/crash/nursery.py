"""Lives of the server, each forked from a process that has it loaded: to load it takes longer than most lives last.

A life is a process of its own that runs the command line from its first line; `scripts/crash` starts whole programs instead.
"""

import asyncio
import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import BinaryIO

from famulus.cli.main import main

POLL = 0.01


@cache
def _nursery() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["famulus.cli.serving"])
    return context


class Life:
    """One process, asked as `asyncio.subprocess.Process` is."""

    def __init__(
        self, program: Path | None, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        """Begin; without a program it is `famulus`. Ends with whoever began it."""
        given = (program, tuple(arguments), dict(environment), log)
        self._process = _nursery().Process(target=_live, args=given, daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._process.exitcode

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def send_signal(self, number: int) -> None:
        """Any other."""
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code, once there is one."""
        while (code := self.returncode) is None:
            await asyncio.sleep(POLL)
        return code


def _live(program: Path | None, arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as said:
        _say_into(said)
    sys.argv = [str(program or "famulus"), *arguments]
    if program is not None:
        runpy.run_path(str(program), run_name="__main__")
        return
    main()


def _say_into(file: BinaryIO) -> None:
    for descriptor in (1, 2):
        os.dup2(file.fileno(), descriptor)
