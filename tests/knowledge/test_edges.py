"""Exact edges: links between documents, calls between symbols, references of an API's operations, within one source."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.knowledge.edges import edge_number, known_as, target
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.parse import parse
from famulus.knowledge.store import Owner
from tests.knowledge.papers import write
from tests.support.docs_openapi import document

PAGES = {
    "index.md": "# Start\n\nSee [how to mount it](docs/setup.md#mounting) and [the site](https://example.org/setup).",
    "docs/setup.md": "# Setup\n\n"
    + "Unpack it. " * 30
    + "\n\n## Mounting\n\n"
    + "Hold it against the wall. " * 20,
    "docs/more.html": "<main><h1>More</h1><p>As <a href='../index.html'>before</a>, and <a href='mailto:a@b'>us</a>.</p>"
    "<ul><li><a href='setup.html?x=1'>Setup</a></li></ul></main>",
}
CODE = {
    "src/robots/base.py": "class Robot:\n    def drive(self, far):\n        return turn(far)\n\n\ndef turn(far):\n    return far + 1\n",
    "src/robots/wren.py": "import os\nfrom robots import base\nfrom .base import Robot\n\n\nclass Wren(Robot):\n"
    "    def go(self):\n        base.turn(2)\n        return os.getcwd()\n",
    "lib/a.js": "function first() {\n  return second(1);\n}\n\nfunction second(n) {\n  return n + 1;\n}\n",
}


async def edges(database: Database) -> set[tuple[str, str]]:
    """From passage to passage: each named by its symbol, or its document and anchor."""
    sql = (
        "SELECT m.name, m.passing, d.path, c.anchor, c.symbol FROM mentions m JOIN chunks c ON c.number = m.chunk"
        " JOIN documents d ON d.id = c.document_id WHERE d.lesson_id IS NULL"
    )
    about: defaultdict[int, set[str]] = defaultdict(set)
    passing: defaultdict[int, set[str]] = defaultdict(set)
    async with database.read() as session:
        for name, in_passing, path, anchor, symbol in await session.execute(text(sql)):
            (passing if in_passing else about)[name].add(symbol or f"{path}#{anchor}")
    return {
        (one, other)
        for name, those in passing.items()
        for one in those
        for other in about[name]
        if one != other
    }


@pytest.mark.parametrize(
    ("place", "link", "found"),
    [
        ("docs/a.md", "b.md", "docs/b"),
        ("docs/a.md", "../b.HTML#Part-1", "b#part-1"),
        ("docs/a.md", "/guide/", "guide"),
        ("docs/a.md", "sub/README.md", "docs/sub"),
        ("docs/a.md", "b%20c.md?raw=1", "docs/b c"),
        ("docs/a.md", "../../outside.md", None),
        ("docs/a.md", "https://example.org/b.md", None),
        ("docs/a.md", "mailto:a@b.org", None),
        ("docs/a.md", "", None),
        ("https://example.org/docs/a.html", "b", "example.org/docs/b"),
        ("https://example.org/docs/a.html", "https://example.org/c/#x", "example.org/c#x"),
    ],
)
def test_where_a_link_leads(place: str, link: str, found: str | None) -> None:
    assert target(place, link) == found


def test_a_document_is_known_by_what_leads_to_it() -> None:
    assert known_as("docs/Setup.md") == known_as("docs/setup/index.html") == "docs/setup"
    assert edge_number("src_1", "docs/setup") != edge_number("src_2", "docs/setup")


async def test_links_lead_to_the_section_that_they_name(
    database: Database, owner: Owner, tmp_path: Path
) -> None:
    await ingest_path(database, owner, write(tmp_path / "pages", PAGES))

    found = await edges(database)

    assert ("index.md#start", "docs/setup.md#mounting") in found
    assert {other for one, other in found if one.startswith("docs/more.html")} == {
        "index.md#start", "docs/setup.md#setup", "docs/setup.md#mounting"
    }  # fmt: skip


async def test_links_do_not_lead_into_another_source(
    database: Database, owner: Owner, tmp_path: Path
) -> None:
    await ingest_path(
        database, owner, write(tmp_path / "one", {"a.md": "# Alpha\n\nSee [it](sub/target.md)."})
    )
    await ingest_path(
        database, owner, write(tmp_path / "two", {"sub/target.md": "# Beta\n\nHere.", "b.md": "# C\n\nX."})
    )

    numbers = {
        key for piece in parse(b"# A\n\nSee [it](sub/target.md).", "a.md").pieces for key in piece.refers
    }
    async with database.read() as session:
        sources = list(
            await session.scalars(text("SELECT id FROM sources WHERE kind = 'folder' ORDER BY id"))
        )
        names = set(await session.scalars(text("SELECT name FROM mentions")))
    assert numbers == {"sub/target"}
    assert edge_number(sources[0], "sub/target") in names, "what is referred to"
    assert edge_number(sources[1], "sub/target") in names, "what is defined, elsewhere"


async def test_calls_lead_to_what_they_call(database: Database, owner: Owner, tmp_path: Path) -> None:
    await ingest_path(database, owner, write(tmp_path / "code", CODE))

    found = await edges(database)

    wanted = {
        ("Robot.drive", "turn"), ("Wren.go", "turn"), ("Wren", "Robot.drive"), ("first", "second"),
    }  # fmt: skip
    assert {pair for pair in wanted if pair not in found} <= {("Wren", "Robot.drive")}
    assert ("second", "first") not in found
    refers = {
        key
        for piece in parse(CODE["src/robots/wren.py"].encode(), "src/robots/wren.py").pieces
        for key in piece.refers
    }
    assert {"robots.base:turn", "src.robots.base:Robot", "os:getcwd"} <= refers


def test_operations_stand_for_what_they_take_and_refer_to_what_they_give() -> None:
    pieces = parse(json.dumps(document()).encode(), "openapi.json").pieces
    by_id = {piece.symbol: piece for piece in pieces}
    track = "openapi.json#/components/schemas/TrackOut"

    assert {"openapi.json:create_track", "openapi.json#/components/schemas/NewTrack"} <= {
        *by_id["create_track"].defines
    }
    assert all(track in by_id[id].refers for id in ("create_track", "get_track", "list_tracks"))
    assert track not in by_id["list_courses"].refers
