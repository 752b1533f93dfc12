"""Template databases: migrated once for what the migrations say, copied for each test."""

import asyncio
import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from famulus.kernel.database import Database
from famulus.kernel.migrate import VERSIONS, upgrade


def schema_key() -> str:
    """Changes with every change of a migration."""
    digest = hashlib.sha256()
    for path in sorted(VERSIONS.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


async def build_schema(url: str) -> None:
    """Bring an empty database to the newest schema."""
    database = Database(url)
    await upgrade(database)
    await database.close()


async def sqlite_template() -> Path:
    """A migrated, empty SQLite file, made by the first test that asks; tests of several processes share it."""
    folder = Path(tempfile.gettempdir()) / f"famulus-templates-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{schema_key()[:24]}.db"
    with (folder / "lock").open("w") as handle:
        await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
        if not path.exists():
            unfinished = folder / f"{os.getpid()}.unfinished"
            unfinished.unlink(missing_ok=True)
            await build_schema(f"sqlite+aiosqlite:///{unfinished}")
            unfinished.rename(path)
    return path
