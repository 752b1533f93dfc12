"""Tables as Markdown: rows in stretches of a chunk's size, each under the table's own head. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from famulus.knowledge.blocks import Block, one_line
from famulus.knowledge.cut import TARGET

MOST_ROWS = 20_000
MOST_COLUMNS = 60
CELL = 400
"""Characters of one cell."""


def table_blocks(rows: Iterable[Sequence[object]]) -> Iterator[Block]:
    """The rows of a table in blocks; the first row with anything in it is the head of each."""
    head = ""
    held: list[str] = []
    length = 0
    for row in rows:
        cells = [_cell(each) for each in row[:MOST_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        line = f"| {' | '.join(cells)} |"
        if not head:
            head = f"{line}\n|{'---|' * len(cells)}"
            continue
        if held and length + len(line) > TARGET - len(head):
            yield _block(head, held)
            held, length = [], 0
        held.append(line)
        length += len(line) + 1
    if head:
        yield _block(head, held)


def _block(head: str, lines: list[str]) -> Block:
    return Block("\n".join([head, *lines]), whole=True)


def _cell(value: object) -> str:
    return "" if value is None else one_line(str(value), CELL).replace("|", "\\|")
