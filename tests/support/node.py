"""Where Node is, with the packages of `web/`: for clients that are written for it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.availability import missing

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
CLIENTS = ("openai", "ai", "@ag-ui/client")


def find_node(least: int = 20) -> Path | None:
    """Node on the PATH, if it is new enough, else the one that the scripts have fetched."""
    if (found := shutil.which("node")) and _version(found) >= least:
        return Path(found)
    fetched = sorted((ROOT / ".venv-tools").glob("node-*/commands/node"))
    return fetched[-1] if fetched else None


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    return int(said.removeprefix("v").partition(".")[0] or 0)


@pytest.fixture(scope="session")
def node() -> Path:
    """Node's executable; without it or its packages the test is skipped, or fails where `CI` is set."""
    found = find_node()
    if found is None or not all((WEB / "node_modules" / name).is_dir() for name in CLIENTS):
        missing("Node with the packages of web/", "run `scripts/test`, or `npm ci` in web/")
    return found
