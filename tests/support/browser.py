"""Where Chromium is, for the tests that drive the web app as a person would."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.availability import missing

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LAUNCH_ARGUMENTS = (
    "--no-sandbox",  # root in a container has no sandbox to offer
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # a browser that calls home waits for answers that may never come
    "--disable-component-update",
    "--disable-sync",
)
"""What to pass to `launch(executable_path=…, args=…)` so that only the test's own pages are asked for."""


def _fetched_by_playwright() -> Path | None:
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(home.glob("chromium-*/chrome-linux*/chrome"))
    return found[-1] if found else None


def find_chromium() -> Path | None:
    """The browser named by `FAMULUS_CHROMIUM`, else one on the PATH, else the one Playwright has fetched."""
    named = os.environ.get("FAMULUS_CHROMIUM")
    if named:
        return Path(named)
    for command in COMMANDS:
        found = shutil.which(command)
        if found:
            return Path(found)
    return _fetched_by_playwright()


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Chromium's executable; without one the test is skipped, or fails where `CI` is set."""
    found = find_chromium()
    if found is None or not found.exists():
        missing("Chromium", "install a package such as `chromium`, or name a browser in FAMULUS_CHROMIUM")
    return found
