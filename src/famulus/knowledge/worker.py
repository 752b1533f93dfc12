"""A process that parses files for another, started by pool.py.

Frames of MessagePack (kernel/beside.py): first come the limits, then one file after another.
"""

import resource
import sys

import msgspec

from famulus.kernel.beside import answer, frames
from famulus.knowledge.files import FileRef, Limits, Reader

MEMORY = 4 << 30
"""Bytes of address space; a file that wants more is the only one that suffers."""


def main() -> None:
    """Answer until stdin ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard) if hard < 0 else (min(MEMORY, hard), hard))
    encoder = msgspec.msgpack.Encoder()
    asked = frames(sys.stdin.buffer)
    first = next(asked, None)
    if first is None:
        return
    with Reader(msgspec.msgpack.decode(first, type=Limits)) as reader:
        for frame in asked:
            outcome = reader.attempt(msgspec.msgpack.decode(frame, type=FileRef))
            answer(sys.stdout.buffer, encoder.encode(outcome))
