"""Finding by a beginning: few and many matches are looked for in other ways, and are the same matches on the same pages."""

import itertools
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select

from famulus.kernel.database import Database
from famulus.kernel.finding import MANY, ids_matching
from famulus.kernel.paging import Paging, by_row, page
from famulus.kernel.tables import Folded

META = MetaData()
PEOPLE = Table(
    "people",
    META,
    Column("id", String(40), primary_key=True),
    Column("name", Folded(40), nullable=False, index=True),
    Column("address", Folded(40), nullable=False, index=True),
    Column("joined", String(40), nullable=False),
)
NAMES = ("ada", "adele", "a%", "a_b", "bob", "ada", "zoë", "äda", "b", "")
WHERE = ("x@a", "ada@b", "a@c", "bob@d", "a_@e", "zz@f", "ada2@g", "b@h", "ad@i", "a%@j")
ROWS = [
    {"id": f"p{n}", "name": name, "joined": str(n * 7 % 10), "address": address}
    for n, (name, address) in enumerate(zip(NAMES, WHERE, strict=True))
]
ORDERS = {
    "name": [PEOPLE.c.name, PEOPLE.c.id],
    "joined": [PEOPLE.c.joined, PEOPLE.c.id],
    "id": [PEOPLE.c.id],
}


@pytest.fixture(autouse=True)
async def people(database: Database) -> None:
    """Some whose name, whose address, both or neither begin so, in no order."""
    async with database.engine.begin() as connection:
        await connection.run_sync(META.create_all)
        await connection.execute(insert(PEOPLE), ROWS)


async def found(
    database: Database, beginning: str, by: list[Any], *, descending: bool, many: int
) -> list[str]:
    """The ids of all that match, two to a page."""
    ids: list[str] = []
    after: str | None = None
    among = select(PEOPLE.c.id)
    texts = ((PEOPLE.c.name, beginning), (PEOPLE.c.address, beginning))
    while True:
        paging = Paging(2, after)
        async with database.read() as session:
            wanted = await ids_matching(
                session, among, texts, by=by, paging=paging, descending=descending, many=many
            )
            query = select(PEOPLE).where(PEOPLE.c.id.in_(wanted), by_row(PEOPLE.c.id) != "")
            result = await page(session, query, by=by, paging=paging, descending=descending)
        ids += [row.id for row in result.items]
        if result.next is None:
            return ids
        after = result.next


@pytest.mark.parametrize("many", [0, 1, 3, MANY])
async def test_each_match_comes_once_and_in_order_however_it_is_found(database: Database, many: int) -> None:
    for beginning, (order, by), descending in itertools.product(
        ("a", "ada", "a%", "a_", "z", "zzz", "ä", "b"), ORDERS.items(), (False, True)
    ):
        matching = [
            row for row in ROWS if row["name"].startswith(beginning) or row["address"].startswith(beginning)
        ]
        matching.sort(key=lambda row: (row[order], row["id"]), reverse=descending)

        ids = await found(database, beginning, by, descending=descending, many=many)

        assert ids == [row["id"] for row in matching], (beginning, order, descending)
