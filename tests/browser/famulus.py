"""A real server in a process of its own, with the demo course, for tests that look at it through a browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from famulus.cli.main import main; main()", "serve", "--migrate", "--seed")
PATIENCE = 150.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Famulus:
    """One address at which a server can be started, killed and started again."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """More of the environment; without a `FAMULUS_MODEL` in it the model says what `replies` was last given."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def script(self) -> Path:
        return self.folder / "replies.md"

    def replies(self, *replies: str) -> None:
        """What the scripted model says from now on: one reply after the other, and over again."""
        self.script.write_text("\n--- message\n".join(replies), "utf-8")

    def start(self) -> None:
        """Begin, and return once it answers; raises TimeoutError with the end of its log."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAMULUS_")}
        environment |= {
            "PYTHONPATH": str(ROOT / "src"),
            "APP_ENV": "local",
            "FAMULUS_DATA_DIR": str(self.folder),
            "FAMULUS_MODEL": f"scripted:{self.script}",
            "FAMULUS_EMBEDDING": "none",  # to make the model once more for each server takes longer than a test
            "FAMULUS_RUN_LEASE": "1",
            **self.settings,
        }
        if not self.script.exists():
            self.replies("Nothing was written for this test to say.")
        command = [*COMMAND, "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise TimeoutError(f"The server did not start:\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def log(self) -> str:
        """All that it has said."""
        return (self.folder / "server.log").read_text("utf-8", "replace")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False
