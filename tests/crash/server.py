"""The real server as a process of its own, to be killed: started on a fixed port, watched, stopped, frozen."""

import asyncio
import os
import secrets
import signal
import socket
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp

from tests.crash.nursery import Life

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ("-c", "from famulus.cli.main import main; main()")
"""The command line itself, without relying on how it was installed."""
HASTY = Path(__file__).with_name("hasty.py")
"""The same with the planted bug."""
LOOSE = Path(__file__).with_name("loose.py")
"""The same with another: a tool's effect is committed before its result."""
SCRIPT = Path(__file__).with_name("script.md")
PATIENCE = 90.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """One address at which a server lives again and again."""

    folder: Path
    database_url: str
    lease: float = 4.0
    program: Path | None = None
    """What is run in place of `famulus`."""
    whole: bool = False
    """Whether a start is one of Python itself, start-up and all, rather than a fork of a process that has all loaded."""
    port: int = field(default_factory=free_port)
    secret: str = field(default_factory=partial(secrets.token_urlsafe, 48))
    process: asyncio.subprocess.Process | Life | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says, for whoever looks into a failure."""
        return self.folder / f"server-{self.port}.log"

    async def start(self, crash_point: str | None = None) -> None:
        """Begin; returns at once, `ready` waits."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAMULUS_")}
        environment |= {
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "APP_ENV": "test",
            "FAMULUS_SECRET_KEY": self.secret,
            "FAMULUS_SIGN_UP": "true",
            "FAMULUS_DATA_DIR": str(self.folder),
            "FAMULUS_DATABASE_URL": self.database_url,
            "FAMULUS_MODEL": f"scripted:{SCRIPT}",
            "FAMULUS_EMBEDDING": "none",
            "FAMULUS_RUN_LEASE": str(self.lease),
            "FAMULUS_CRASH_POINT": crash_point or "",
        }
        arguments = ("serve", "--port", str(self.port))
        if not self.whole:
            self.process = Life(self.program, arguments, environment, self.log)
            return
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *((str(self.program),) if self.program else COMMAND),
                *arguments,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
            )

    async def ready(self) -> None:
        """Return once it answers, or once it was killed. Raises TimeoutError when nothing has come of it."""
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while self.alive:
                try:
                    async with session.get(f"{self.url}/healthz"):
                        return
                except (aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.05)
        assert self.process is not None
        assert self.process.returncode == -signal.SIGKILL, f"it could not start:\n{self.tail()}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def gone(self, within: float) -> bool:
        """Whether it died by itself within so many seconds."""
        assert self.process is not None
        try:
            await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            return False
        return True

    async def kill(self) -> None:
        """SIGKILL, and wait until it is really gone."""
        if self.process is not None and self.alive:
            self.process.kill()
            await self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """SIGTERM as an operator would; a server that does not listen is killed."""
        if self.process is not None and self.alive:
            self.process.terminate()
            if not await self.gone(within=10):
                await self.kill()

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
