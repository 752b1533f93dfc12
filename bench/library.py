"""Material for 50 tenants, written straight into a database: made-up text, names, and vectors in small clusters.

Each tenant is an organization with two published courses, general material, and a student of both courses. Words are as
common as in a language (Zipf), every document is about a name, and passages name others. A passage's vector lies near
those of its document, as far as passages of one text do; so a question has near passages, and a long tail of others.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import asyncpg
import numpy as np
from bench.crowd import AT, Row, Table, connected, id_of
from numpy.typing import NDArray
from sqlalchemy.engine import make_url

from famulus.knowledge.index import scope_word
from famulus.knowledge.mentions import filed_under
from famulus.knowledge.names import names_of
from famulus.knowledge.vectors import fingerprint

TENANTS, PER_DOCUMENT, DIMENSION = 50, 8, 384
WORDS, NAMES, LENGTH = 20_000, 400, 160
"""Words of the language; names of a tenant; words of a passage, which are about a thousand characters."""
CLOSE = 0.75
"""How much of a passage's vector is its document's; two of one document are CLOSE² alike."""
MODEL = "bench"
STEP = 2_000
"""Passages that are made at once."""
_SOUNDS = ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va")


def word(n: int) -> str:
    """The n-th word; the first ones are the commonest, and short."""
    return _SOUNDS[n % 16] + (word(n // 16 - 1) if n >= 16 else "n")


def name(tenant: int, n: int) -> str:
    """Two words that begin with capitals."""
    return f"{word(tenant * NAMES + n).capitalize()} {word(7 * n + 3).capitalize()}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as it is written; what the rows of every table are made of."""

    number: int
    tenant: int
    document: int
    ordinal: int
    title: str
    text: str
    vector: bytes
    """float16."""

    @property
    def scope(self) -> str:
        """Of ten documents one is the organization's own."""
        return scope_word(organization(self.tenant), course_of(self.tenant, self.document), True)


def organization(tenant: int) -> str:
    return id_of("org", tenant)


def course_of(tenant: int, document: int) -> str | None:
    """A document's course."""
    kind = document // TENANTS % 10
    return None if kind == 9 else id_of("crs", tenant * 2 + kind % 2)


@dataclass(frozen=True)
class Library:
    """So many chunks, the same ones every time."""

    chunks: int

    @cached_property
    def _words(self) -> NDArray[np.str_]:
        return np.array([word(n) for n in range(WORDS)])

    @cached_property
    def _common(self) -> NDArray[np.float64]:
        share = 1 / (np.arange(WORDS) + 2.7)
        return np.cumsum(share / share.sum())

    def passages(self, first: int = 0, last: int | None = None) -> Iterator[Passage]:
        """Those from `first` to before `last`, in steps that begin at a multiple of STEP."""
        for start in range(first, self.chunks if last is None else last, STEP):
            yield from self._made(start, min(STEP, self.chunks - start))

    def _made(self, start: int, size: int) -> Iterator[Passage]:
        chance = np.random.default_rng(start)
        drawn = self._words[np.searchsorted(self._common, chance.random((size, LENGTH)))]
        named = chance.integers(0, NAMES, (size, 3))
        noise = _units(chance.standard_normal((size, DIMENSION), np.float32))
        for n in range(size):
            document, ordinal = divmod(start + n, PER_DOCUMENT)
            tenant = document % TENANTS
            centre = _centre(document)
            vector = _units(CLOSE * centre + (1 - CLOSE**2) ** 0.5 * noise[n])
            title = name(tenant, document // TENANTS % NAMES)
            text = _text(drawn[n].tolist(), [name(tenant, which) for which in named[n].tolist()])
            yield Passage(
                start + n + 1, tenant, document, ordinal, title, text, vector.astype(np.float16).tobytes()
            )

    def tables(self) -> Iterator[Table]:
        """Everything but vectors, which each database spells in its own way."""
        stamps = ("created_at", "updated_at")
        tenants = range(TENANTS)
        yield "organizations", ("id", "name", "name_key", *stamps), (
            (organization(n), f"School {n}", f"school {n}", *AT) for n in tenants
        )  # fmt: skip
        yield "users", (
            "id", "email", "name", "name_key", "profile", "locale", "site_admin", "suspended", "service", *stamps
        ), (
            (id_of("usr", n), f"s{n}@bench.example", "S", "s", "{}", "en", False, False, False, *AT) for n in tenants
        )  # fmt: skip
        yield "memberships", ("organization_id", "user_id", "role", "person_key", "created_at"), (
            (organization(n), id_of("usr", n), "student", "s", AT[0]) for n in tenants
        )  # fmt: skip
        yield "courses", (
            "id", "organization_id", "position", "title", "title_key", "description", "published", *stamps
        ), (
            (id_of("crs", n), organization(n // 2), n, f"Course {n}", f"course {n}", "", True, *AT)
            for n in range(2 * TENANTS)
        )  # fmt: skip
        yield "enrolments", ("course_id", "user_id", "role", "person_key", "created_at"), (
            (id_of("crs", n), id_of("usr", n // 2), "student", "s", AT[0]) for n in range(2 * TENANTS)
        )  # fmt: skip
        yield from self._material(stamps)

    def _material(self, stamps: tuple[str, str]) -> Iterator[Table]:
        yield "sources", (
            "id", "organization_id", "course_id", "kind", "name", "location", "state", "documents", "chunks", "failed",
            *stamps,
        ), self._sources()  # fmt: skip
        yield "documents", (
            "id", "source_id", "organization_id", "course_id", "path", "title", "format", "content_hash", "size",
            "state", "published", *stamps,
        ), self._documents()  # fmt: skip
        yield "chunks", (
            "number", "id", "document_id", "ordinal", "scope", "title", "heading_path", "anchor", "text", "parts"
        ), (
            (each.number, id_of("chk", each.number), id_of("doc", each.document), each.ordinal, each.scope, each.title,
             json.dumps([each.title]), "", each.text, "")
            for each in self.passages()
        )  # fmt: skip
        yield "mentions", ("scope", "name", "passing", "chunk"), self._mentions()
        yield "vector_models", ("id", "name", "dimension", "ready"), iter([(1, MODEL, DIMENSION, True)])

    def _sources(self) -> Iterator[Row]:
        """Each tenant's courses, and its general material."""
        for n in range(3 * TENANTS):
            tenant, kind = divmod(n, 3)
            course = None if kind == 2 else id_of("crs", tenant * 2 + kind)
            share = self.chunks // TENANTS * (1 if kind == 2 else 4 + (kind == 0)) // 10
            yield id_of("src", n), organization(tenant), course, "folder", "N", "n", "ready", 1, share, 0, *AT

    def _documents(self) -> Iterator[Row]:
        for n in range(-(-self.chunks // PER_DOCUMENT)):
            tenant, course = n % TENANTS, course_of(n % TENANTS, n)
            kind = 2 if course is None else n // TENANTS % 10 % 2
            title = name(tenant, n // TENANTS % NAMES)
            yield (
                id_of("doc", n), id_of("src", tenant * 3 + kind), organization(tenant), course, f"{n}.md", title,
                "markdown", f"hash {n}", 8000, "ready", True, *AT,
            )  # fmt: skip

    def _mentions(self) -> Iterator[Row]:
        for each in self.passages():
            found = names_of(each.title, (each.title,), each.text)
            for passing, those in ((False, found.about), (True, found.passing)):
                yield from ((filed_under(each.scope), number, passing, each.number) for number in those)

    def vectors(self) -> Iterator[tuple[int, int, str, str, bytes]]:
        """Rows of the table of vectors: model, chunk, scope, hash, float16."""
        return ((1, each.number, each.scope, fingerprint(each.text), each.vector) for each in self.passages())


def fill_vectors(url: str, library: Library) -> None:
    """Write the vectors, once the chunks are there."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        connection = connected(str(address.database))
        into = "INSERT INTO chunk_vectors (model, chunk, scope, hash, vector) VALUES (?, ?, ?, ?, ?)"
        connection.executemany(into, library.vectors())
        connection.commit()
        connection.close()
    else:
        dsn = address.set(drivername="postgresql").render_as_string(hide_password=False)
        asyncio.run(_copy_vectors(dsn, library))


async def _copy_vectors(dsn: str, library: Library) -> None:
    connection = await asyncpg.connect(dsn)
    columns = ("model", "chunk", "scope", "hash", "vector")
    await connection.copy_to_table("chunk_vectors", source=_lines(library), columns=columns)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def _lines(library: Library) -> AsyncIterator[bytes]:
    for model, chunk, scope, hash, vector in library.vectors():
        numbers = ",".join(f"{each:.4g}" for each in np.frombuffer(vector, np.float16).tolist())
        yield f"{model}\t{chunk}\t{scope}\t{hash}\t[{numbers}]\n".encode()


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@lru_cache(maxsize=4)
def _centre(document: int) -> NDArray[np.float32]:
    """A document's direction; five documents of a tenant share half of theirs."""
    topic = np.random.default_rng((2, document % TENANTS, document // TENANTS // 5))
    own = np.random.default_rng((1, document))
    return _units(topic.standard_normal(DIMENSION, np.float32) + own.standard_normal(DIMENSION, np.float32))


def _text(words: list[str], names: list[str]) -> str:
    """Sentences of sixteen words, some with a name."""
    sentences: list[str] = []
    for at in range(0, len(words), 16):
        said = " ".join(words[at : at + 16])
        named = f" near {names[at // 48]}" if at % 48 == 0 and at // 48 < len(names) else ""
        sentences.append(f"{said[:1].upper()}{said[1:]}{named}.")
    return " ".join(sentences)
