"""Folders for what is on its way. They go with their use, and after a kill with the next one's beginning."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from famulus.kernel.instance import instance_name, is_gone

PREFIX = "famulus-scratch-"


@asynccontextmanager
async def scratch() -> AsyncGenerator[Path]:
    """An empty folder for as long as it is used, in the system's place for such. Threads make and remove it.

    Those of killed processes of this machine are removed first: what they hold can be a whole repository.
    """
    folder = await asyncio.to_thread(_make)
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make() -> Path:
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if is_gone(left.name.removeprefix(PREFIX)):
            shutil.rmtree(left, ignore_errors=True)  # it refuses links, and what is another user's stays
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{instance_name()}-"))
