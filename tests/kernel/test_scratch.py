"""Folders on the way are gone afterwards, whatever ends their use."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from famulus.kernel.scratch import PREFIX, scratch

HOLD = """
import asyncio
from famulus.kernel.scratch import scratch
async def hold():
    async with scratch() as folder:
        (folder / "file").write_text("x")
        print(folder, flush=True)
        await asyncio.sleep(60)
asyncio.run(hold())
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's place for such folders, for this test and its processes alone."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


async def test_a_folder_lasts_as_long_as_its_use(place: Path) -> None:
    with pytest.raises(RuntimeError):
        async with scratch() as folder:
            assert folder.parent == place
            assert list(folder.iterdir()) == []
            (folder / "file").write_text("x")
            raise RuntimeError
    assert list(place.iterdir()) == []


async def test_what_a_killed_process_left_is_removed_and_what_lives_stays(place: Path) -> None:
    holders = [
        subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        killed, alive = (Path(holder.stdout.readline().strip()) for holder in holders if holder.stdout)
        strange = place / f"{PREFIX}of-something-else"
        strange.mkdir()
        holders[0].send_signal(signal.SIGKILL)
        holders[0].wait()
        assert (killed / "file").exists()

        async with scratch() as folder:
            assert sorted(place.iterdir()) == sorted([alive, folder, strange])
            assert (alive / "file").exists()
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
