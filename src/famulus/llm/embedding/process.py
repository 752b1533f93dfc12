"""A process that embeds for another, started by local.py.

Frames of MessagePack (kernel/beside.py): first comes the order, then lists of texts, each answered by vectors or by
why there are none. Whoever embeds passages steps aside for everything else on the machine.
"""

import os
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from famulus.kernel.beside import answer, frames
from famulus.llm.embedding.build import CannotBuild, prepared
from famulus.llm.embedding.protocol import Kind

LOWEST_PRIORITY = 19


class Order(Struct):
    """What the process is for."""

    models: str
    """The folder of models."""
    kind: Kind


class Done(Struct, tag=True):
    """Vectors."""

    data: bytes
    """As in protocol.Vectors."""


class Failed(Struct, tag=True):
    """For people: why there are none."""

    reason: str


def main() -> None:
    """Answer until stdin ends."""
    asked = frames(sys.stdin.buffer)
    first = next(asked, None)
    if first is None:
        return
    order = msgspec.msgpack.decode(first, type=Order)
    if order.kind == "passage":
        os.nice(LOWEST_PRIORITY)
    engine = None
    texts = msgspec.msgpack.Decoder(list[str])
    for frame in asked:
        try:
            if engine is None:
                from famulus.llm.embedding.engine import Engine  # lazy: onnxruntime may be missing

                engine = Engine(prepared(Path(order.models)))
            said = Done(engine.embed(texts.decode(frame)).tobytes())
        except (CannotBuild, OSError, ImportError) as error:
            said = Failed(str(error) or type(error).__name__)
        answer(sys.stdout.buffer, msgspec.msgpack.encode(said))
