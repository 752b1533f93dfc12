"""A checkout of a repository by the machine's own `git`: one commit, without history, hooks, submodules or secrets.

The address is resolved once and the connection goes to what was checked, so that it cannot be turned inwards; redirects
are not followed. `git` sees none of the server's environment and asks nobody for a password.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from famulus.kernel.http_client import bare_host, is_public
from famulus.knowledge.errors import SourceUnreachable

SECONDS = 300.0
LOOK = 0.5
"""Seconds between two looks at how large the checkout has grown."""
_SAID = 300
_NEVER = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=false", "credential.helper="),
    *("protocol.allow=never", "http.followRedirects=false", "submodule.recurse=false", "safe.directory=*"),
    *("transfer.fsckObjects=true", "gc.auto=0", "advice.detachedHead=false"),
)


async def check_out(
    location: str,
    ref: str | None,
    folder: Path,
    *,
    most: int,
    allowed: Collection[str],
    seconds: float = SECONDS,
) -> None:
    """Put a branch or tag, or else the default branch, into `folder`: an address, or a folder of this machine.

    Raises `SourceUnreachable` when it cannot be had, takes longer than `seconds` or more than `most` bytes.
    """
    if location.startswith(("https://", "http://")):
        url, options = location, ["protocol.https.allow=always", "protocol.http.allow=always"]
        options.append(f"http.curloptResolve={await _pinned(location, allowed)}")
    else:
        url, options = f"file://{location}", ["protocol.file.allow=always"]
    configured = [word for option in (*_NEVER, *options) for word in ("-c", option)]
    branch = ["--branch", ref] if ref else []
    process = await asyncio.create_subprocess_exec(
        *("git", *configured, "clone", "--quiet", "--depth=1", "--single-branch", "--no-tags"),
        *("--no-recurse-submodules", "--template=", *branch, "--", url, str(folder)),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        env=_environment(folder.parent),
        start_new_session=True,
    )
    try:
        await _until_done(process, folder, most, seconds)
    finally:
        await _stop(process)
    await asyncio.to_thread(shutil.rmtree, folder / ".git", ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


async def _pinned(url: str, allowed: Collection[str]) -> str:
    """`host:port:address` of an address that may be connected to."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SourceUnreachable(f"The host {host!r} cannot be found.") from error
    addresses = [str(each[4][0]) for each in found]
    if bare_host(host) not in {bare_host(each) for each in allowed} and not all(map(is_public, addresses)):
        raise SourceUnreachable(f"The host {host!r} is not on the public internet.")
    return f"{host}:{port}:{','.join(dict.fromkeys(addresses))}"


async def _until_done(process: Process, folder: Path, most: int, seconds: float) -> None:
    assert process.stderr is not None, "asked to be a pipe"
    said = asyncio.create_task(process.stderr.read(100_000))
    try:
        async with asyncio.timeout(seconds):
            while True:
                done, _ = await asyncio.wait({said}, timeout=LOOK)
                if await asyncio.to_thread(_size, folder) > most:
                    raise SourceUnreachable(f"The repository is larger than {most:,} bytes.")
                if done:
                    break
            if await process.wait():
                raise SourceUnreachable(f"git says: {_last_words(said.result())}")
    except TimeoutError as error:
        raise SourceUnreachable(f"The repository took longer than {seconds:g} seconds.") from error
    finally:
        said.cancel()


def _last_words(said: bytes) -> str:
    lines = [line for line in said.decode("utf-8", errors="replace").splitlines() if line.strip()]
    return (lines[-1] if lines else "nothing")[:_SAID]


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 – asked for thousands of files
    return total


async def _stop(process: Process) -> None:
    """With whatever it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
