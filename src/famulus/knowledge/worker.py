"""A process that parses files for another, started by pool.py.

Frames of MessagePack (kernel/beside.py): first come the limits, then one file after another.
"""

import resource
import sys

import msgspec

from famulus.kernel.beside import answer, frames
from famulus.knowledge.files import FileRef, Limits, Reader


def main() -> None:
    """Answer until stdin ends."""
    encoder = msgspec.msgpack.Encoder()
    asked = frames(sys.stdin.buffer)
    first = next(asked, None)
    if first is None:
        return
    limits = msgspec.msgpack.decode(first, type=Limits)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory if hard < 0 else min(limits.memory, hard), hard))
    with Reader(limits) as reader:
        for frame in asked:
            outcome = reader.attempt(msgspec.msgpack.decode(frame, type=FileRef))
            answer(sys.stdout.buffer, encoder.encode(outcome))
