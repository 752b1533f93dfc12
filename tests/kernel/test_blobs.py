"""Bytes under a name, in a folder and in a bucket of a real S3 server."""

import time
from pathlib import Path

import pytest

from famulus.kernel.blobs import BlobMissing, Blobs
from famulus.kernel.errors import Unavailable
from tests.support.bucket import NAME, reach

LARGE = bytes(range(256)) * 50_000


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "bytes", request.getfixturevalue("bucket") if request.param == "bucket" else None)


async def test_what_is_put_is_there_until_it_is_deleted(blobs: Blobs) -> None:
    await blobs.put("att_1", b"first")
    await blobs.put("att_1", b"second")
    await blobs.put("att_1.preview", LARGE)
    assert (await blobs.get("att_1"), await blobs.get("att_1.preview")) == (b"second", LARGE)

    await blobs.delete("att_1", "att_none", "att_1.preview")
    for name in ("att_1", "att_1.preview", "att_none"):
        with pytest.raises(BlobMissing):
            await blobs.get(name)


@pytest.mark.parametrize("trouble", ["nobody", "no bucket"])
async def test_a_store_that_is_not_there_is_told_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str, request: pytest.FixtureRequest
) -> None:
    if trouble == "nobody":
        reach(monkeypatch, "http://127.0.0.1:9")
    else:
        reach(monkeypatch, request.getfixturevalue("s3"))
    blobs, began = (
        Blobs(tmp_path, f"s3://{NAME if trouble == 'nobody' else 'another'}/files"),
        time.monotonic(),
    )
    with pytest.raises(Unavailable):
        await blobs.put("att_1", b"x")
    assert time.monotonic() - began < 30
