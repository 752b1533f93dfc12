"""A bucket on a real S3 server, of this machine."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Client, TransportError

from tests.support.availability import missing

SERVER = Path(__file__).resolve().parents[2] / ".venv-tools" / "s3" / "bin" / "moto_server"
NAME = "famulus-tests"
PATIENCE = 90.0
"""Seconds until it answers."""


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server with one bucket; without one the test is skipped, or fails where `CI` is set."""
    if not SERVER.exists():
        missing("The S3 server of the tests", "run `scripts/test`")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [str(SERVER), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _with_bucket(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _with_bucket(address: str) -> str:
    end = time.monotonic() + PATIENCE
    with Client(timeout=10) as client:
        while True:
            try:
                client.put(f"{address}/{NAME}").raise_for_status()
            except TransportError:
                assert time.monotonic() < end, "the S3 server does not answer"
                time.sleep(0.2)
            else:
                return address


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a folder in the bucket, with the environment that leads there."""
    reach(monkeypatch, s3)
    return f"s3://{NAME}/files"


def reach(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Have S3 be at an address, as an operator says it."""
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "famulus",
        "AWS_SECRET_ACCESS_KEY": "a secret of the tests",
    }.items():
        monkeypatch.setenv(name, value)
