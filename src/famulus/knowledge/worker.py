"""A process that parses files for another, started by pool.py.

Frames on stdin and stdout: four bytes of length, then MessagePack. First come the limits, then one file after another,
each answered before the next. It may be killed at any moment, and dies of itself when its stdin ends.
"""

import resource
import struct
import sys
from typing import BinaryIO

import msgspec

from famulus.knowledge.files import FileRef, Limits, Reader

MEMORY = 4 << 30
"""Bytes of address space; a file that wants more is the only one that suffers."""
LENGTH = struct.Struct(">I")


def main() -> None:
    """Answer until stdin ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard) if hard < 0 else (min(MEMORY, hard), hard))
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    encoder = msgspec.msgpack.Encoder()
    first = _frame(stdin)
    if first is None:
        return
    with Reader(msgspec.msgpack.decode(first, type=Limits)) as reader:
        while (asked := _frame(stdin)) is not None:
            answer = encoder.encode(reader.attempt(msgspec.msgpack.decode(asked, type=FileRef)))
            stdout.write(LENGTH.pack(len(answer)) + answer)
            stdout.flush()


def _frame(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])
