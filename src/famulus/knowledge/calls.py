"""Calls from one symbol of a file to another, by name, where one symbol alone is called so. Pure."""

import re
from collections import Counter
from collections.abc import Sequence

from famulus.knowledge.blocks import Section

_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_JOINTS = re.compile(r"[.:#]+")
MOST = 40
"""Calls of one symbol."""


def in_one_file(sections: Sequence[Section], place: str) -> None:
    """Have the sections of a file's symbols say what they define, and which of the others they call."""
    symbols = list(dict.fromkeys(section.symbol for section in sections if section.symbol))
    last = {symbol: _JOINTS.split(symbol)[-1] for symbol in symbols}
    count = Counter(last.values())
    by_name = {name: symbol for symbol, name in last.items() if count[name] == 1}
    for section in sections:
        if not section.symbol:
            continue
        section.defines += (f"{place}:{section.symbol}",)
        text = "\n".join(block.text for block in section.blocks)
        called = dict.fromkeys(by_name.get(name, "") for name in _CALLED.findall(text))
        others = [symbol for symbol in called if symbol and symbol != section.symbol][:MOST]
        section.refers += tuple(f"{place}:{symbol}" for symbol in others)
