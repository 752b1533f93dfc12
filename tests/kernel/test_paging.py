"""Keyset paging: whatever the data, each item comes once and in order; a key that nobody gave out is refused."""

import base64
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, delete, insert, select

from famulus.kernel.database import Database
from famulus.kernel.paging import BadCursor, Page, Paging, decode_key, encode_key, page
from famulus.kernel.tables import UtcTime

ITEMS = Table(
    "items",
    MetaData(),
    Column("id", String(40), primary_key=True),
    Column("name", String(40), nullable=False),
    Column("place", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
)
START = datetime(2026, 11, 20, 19, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
ROWS = st.lists(
    st.tuples(TEXT, st.integers(-2, 2), st.integers(0, 3).map(lambda n: START + timedelta(microseconds=n))),
    max_size=14,
)
BY = ("name", "place", "at")


@pytest.fixture(autouse=True)
async def table(database: Database) -> None:
    """A table whose columns are of every kind that lists are sorted by."""
    async with database.engine.begin() as connection:
        await connection.run_sync(ITEMS.metadata.create_all)


async def walk(database: Database, columns: list[Any], limit: int, *, descending: bool) -> list[list[str]]:
    """The ids on each page, from the first to the last."""
    pages: list[list[str]] = []
    after: str | None = None
    while True:
        async with database.read() as session:
            found = await page(
                session, select(ITEMS), by=columns, paging=Paging(limit, after), descending=descending
            )
        pages.append([row.id for row in found.items])
        if found.next is None:
            return pages
        after = found.next


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS, by=st.sampled_from(BY), limit=st.integers(1, 5), descending=st.booleans())
async def test_each_item_comes_once_and_in_order(
    database: Database, rows: list[Any], by: str, limit: int, descending: bool
) -> None:
    columns = [ITEMS.c[by], ITEMS.c.id]
    values = [
        {"id": f"itm_{n:02}", "name": name, "place": place, "at": at}
        for n, (name, place, at) in enumerate(rows)
    ]
    async with database.write() as session:
        await session.execute(delete(ITEMS))
        if values:
            await session.execute(insert(ITEMS), values)
        order = [column.desc() if descending else column for column in columns]
        expected = list(await session.scalars(select(ITEMS.c.id).order_by(*order)))

    pages = await walk(database, columns, limit, descending=descending)

    assert list(itertools.chain(*pages)) == expected
    assert all(len(each) == limit for each in pages[:-1])


async def test_an_item_that_is_added_or_removed_meanwhile_moves_no_other(database: Database) -> None:
    def row(n: int) -> dict[str, Any]:
        return {"id": f"itm_{n:02}", "name": "x", "place": n, "at": START}

    async with database.write() as session:
        await session.execute(insert(ITEMS), [row(n) for n in range(0, 20, 2)])
    async with database.read() as session:
        first = await page(session, select(ITEMS), by=[ITEMS.c.id], paging=Paging(4))
    async with database.write() as session:
        await session.execute(insert(ITEMS), [row(1), row(7)])
        await session.execute(delete(ITEMS).where(ITEMS.c.id.in_(["itm_00", "itm_06"])))
    async with database.read() as session:
        second = await page(session, select(ITEMS), by=[ITEMS.c.id], paging=Paging(4, first.next))

    assert [item.place for item in first.items] == [0, 2, 4, 6]
    assert [item.place for item in second.items] == [7, 8, 10, 12]


def key(value: object) -> str:
    """A key of anything."""
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


GOOD = {"name": "x", "place": 1, "at": START}
KEYS: list[object] = [None, 1, {}, [], ["x"], [None, None], [[], []], "x"]
BAD: list[tuple[str, str]] = [
    *((by, text) for by in BY for text in ("", "x", "%%%%", "ümlaut", "a\0b", "A" * 900, "..", "🚀")),
    *((by, key(value)) for by in BY for value in KEYS),
    *((by, key([GOOD[by], "itm", "more"])) for by in ("name", "place")),
    *(("name", key(value)) for value in ([1, "itm"], ["x", 1], ["a\0b", "itm"], [{"t": "x"}, "itm"])),
    *(("place", key([value, "itm"])) for value in ("1", True, 1.5, 2**31, 2**63, -(2**70), None, {"t": 1})),
    *(("at", key([value, "itm"])) for value in ("2026-11-20", {"t": "2026-11-20T19:00:00"}, {"t": 5}, {})),
    ("at", key([{"t": "0001-01-01T00:00:00+23:59"}, "itm"])),
    ("name", base64.urlsafe_b64encode(b'["\\ud800","itm"]').decode()),
]


async def test_a_key_that_nobody_gave_out_is_refused(database: Database) -> None:
    accepted: list[tuple[str, str]] = []
    for by, after in BAD:
        try:
            async with database.read() as session:
                await page(session, select(ITEMS), by=[ITEMS.c[by], ITEMS.c.id], paging=Paging(5, after))
        except BadCursor:
            continue
        accepted.append((by, after))

    assert accepted == []


@given(
    st.lists(st.one_of(TEXT, st.integers(-(2**62), 2**62), st.datetimes(timezones=st.just(UTC))), min_size=1)
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_a_key_holds_its_values(values: list[Any]) -> None:
    assert decode_key(encode_key(values), len(values)) == values
    assert encode_key(values).isascii()


@pytest.mark.slow
@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_nonsense_is_a_bad_cursor_and_nothing_else(nonsense: str) -> None:
    try:
        values = decode_key(nonsense, 2)
    except BadCursor:
        return
    assert len(values) == 2


def test_a_page_of_changed_items_keeps_its_key() -> None:
    assert Page([1, 2], "next").map(str) == Page(["1", "2"], "next")
