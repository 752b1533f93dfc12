"""The indexes as the databases spell them, which table metadata cannot: of words here, of meaning below.

SQLite keeps an FTS5 table beside `chunks`, reading the text from there instead of holding it twice; triggers keep the
two one, through cascades as well. PostgreSQL keeps a generated column with a GIN index. Either way nothing can
be written to `chunks` without being found, and nothing deleted from it is found again, within one transaction.
"""

from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

TABLE = "chunk_words"
"""SQLite's index; its shadow tables begin with this name, too. A comparison of schemas should leave them out."""

COLUMN = "words"
"""PostgreSQL's column of `chunks`, with the index `ix_chunks_words`; to be left out likewise."""

_COLUMNS = "scope, title, heading_path, text, parts"

_SQLITE = (
    # Titles and headings count twice; the scope only filters. Stems are those of English, other words stay whole.
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5({_COLUMNS}, content='chunks', content_rowid='number',"
    " tokenize='porter unicode61')",
    f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('rank', 'bm25(0.0, 2.0, 2.0, 1.0, 1.0)')",
    f"CREATE TRIGGER {TABLE}_insert AFTER INSERT ON chunks BEGIN"
    f" INSERT INTO {TABLE}(rowid, {_COLUMNS})"
    " VALUES (new.number, new.scope, new.title, new.heading_path, new.text, new.parts); END",
    f"CREATE TRIGGER {TABLE}_delete AFTER DELETE ON chunks BEGIN"
    f" INSERT INTO {TABLE}({TABLE}, rowid, {_COLUMNS})"
    " VALUES ('delete', old.number, old.scope, old.title, old.heading_path, old.text, old.parts); END",
    f"CREATE TRIGGER {TABLE}_update AFTER UPDATE ON chunks BEGIN"
    f" INSERT INTO {TABLE}({TABLE}, rowid, {_COLUMNS})"
    " VALUES ('delete', old.number, old.scope, old.title, old.heading_path, old.text, old.parts);"
    f" INSERT INTO {TABLE}(rowid, {_COLUMNS})"
    " VALUES (new.number, new.scope, new.title, new.heading_path, new.text, new.parts); END",
)

# PostgreSQL would read `/scan` as a file and `rclpy.node` as a host, each one word; with blanks they are plain words.
_MARKS = r"/\._:@#-+=<>&%~|"
_BLANKS = " " * len(_MARKS)


def _vector(text: str, weight: str) -> str:
    plain = f"translate({text}, '{_MARKS}', '{_BLANKS}')"
    return f"setweight(to_tsvector('pg_catalog.english'::regconfig, {plain}), '{weight}')"


_POSTGRES = (
    # A chunk stays in one piece: its vector fetched from elsewhere would cost more than all the counting.
    "ALTER TABLE chunks SET (toast_tuple_target = 8160)",
    # The scope is a word of the vector, too, with a blank before it: no text can ever contain such a word.
    f"ALTER TABLE chunks ADD COLUMN {COLUMN} tsvector GENERATED ALWAYS AS ("
    "array_to_tsvector(ARRAY[' ' || scope]) || "
    + _vector("title || ' ' || heading_path", "A")
    + " || "
    + _vector("text || ' ' || parts", "D")
    + ") STORED",
    f"CREATE INDEX ix_chunks_{COLUMN} ON chunks USING gin ({COLUMN})",
)


def create(dialect: Dialect) -> tuple[str, ...]:
    """The statements that make the words index, to be run once `chunks` exists."""
    return _SQLITE if dialect == "sqlite" else _POSTGRES


def drop(dialect: Dialect) -> tuple[str, ...]:
    """The statements that take it away again, leaving `chunks` as it is."""
    if dialect == "sqlite":
        triggers = (f"DROP TRIGGER {TABLE}_{event}" for event in ("insert", "delete", "update"))
        return (*triggers, f"DROP TABLE {TABLE}")
    return (
        f"DROP INDEX ix_chunks_{COLUMN}",
        f"ALTER TABLE chunks DROP COLUMN {COLUMN}",
        "ALTER TABLE chunks RESET (toast_tuple_target)",
    )


VECTORS = "chunk_vectors"
"""What each chunk means to each model. `scope` follows the chunk's, and a vector goes with its chunk, by reference."""

SCOPES = "vector_scopes"
"""SQLite's: how often the vectors of a scope have changed, so that copies in memory know when they are old."""

_REFERENCES = (
    " model INTEGER NOT NULL REFERENCES vector_models (id) ON DELETE CASCADE,"
    " chunk INTEGER NOT NULL, scope VARCHAR(40) NOT NULL, hash VARCHAR(64) NOT NULL,"
)
_WITH_ITS_CHUNK = (
    " FOREIGN KEY (chunk, scope) REFERENCES chunks (number, scope) ON UPDATE CASCADE ON DELETE CASCADE)"
)
_VECTOR_INDEXES = (
    f"CREATE UNIQUE INDEX uq_{VECTORS}_chunk_model ON {VECTORS} (chunk, model)",
    f"CREATE INDEX ix_{VECTORS}_scope_model ON {VECTORS} (scope, model)",
    f"CREATE INDEX ix_{VECTORS}_hash_model ON {VECTORS} (hash, model)",
    f"CREATE INDEX ix_{VECTORS}_model ON {VECTORS} (model)",
)


def _counting(event: str, *rows: str) -> str:
    counted = " ".join(
        f"INSERT INTO {SCOPES} (scope, version) VALUES ({row}.scope, 1)"
        " ON CONFLICT (scope) DO UPDATE SET version = version + 1;"
        for row in rows
    )
    return f"CREATE TRIGGER {VECTORS}_{event} AFTER {event.upper()} ON {VECTORS} BEGIN {counted} END"


_SQLITE_VECTORS = (
    # Ids are never used again, so that two lists of them tell what was added and what has gone.
    f"CREATE TABLE {VECTORS} (id INTEGER PRIMARY KEY AUTOINCREMENT,{_REFERENCES} vector BLOB NOT NULL,"
    + _WITH_ITS_CHUNK,
    *_VECTOR_INDEXES,
    f"CREATE TABLE {SCOPES} (scope VARCHAR(40) PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
    _counting("insert", "new"),
    _counting("delete", "old"),
    _counting("update", "old", "new"),
)
_POSTGRES_VECTORS = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    f"CREATE TABLE {VECTORS} (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,{_REFERENCES}"
    " vector HALFVEC NOT NULL," + _WITH_ITS_CHUNK,
    # A vector beside its row, not elsewhere: an exact search reads all those of a scope.
    f"ALTER TABLE {VECTORS} ALTER COLUMN vector SET STORAGE MAIN",
    *_VECTOR_INDEXES,
)


def create_vectors(dialect: Dialect) -> tuple[str, ...]:
    """The statements that make the table of vectors, to be run once `chunks` and `vector_models` exist.

    On PostgreSQL they need the extension `vector`, and the right to create it unless it is there.
    """
    return _SQLITE_VECTORS if dialect == "sqlite" else _POSTGRES_VECTORS


def drop_vectors(dialect: Dialect) -> tuple[str, ...]:
    """The statements that take it away again."""
    table = f"DROP TABLE IF EXISTS {VECTORS}"
    return (table, f"DROP TABLE {SCOPES}") if dialect == "sqlite" else (table,)


CHANGES = "index_changes"
"""Chunks that an index elsewhere has not been told of; the triggers that note them begin with this name, too."""

_WATCHED = (("chunks", "number"), (VECTORS, "chunk"))
_NOTE = (
    f"INSERT INTO {CHANGES} (number, stamp) VALUES ({{}}, {{}})"
    " ON CONFLICT (number) DO UPDATE SET stamp = excluded.stamp"
)


def create_watch(dialect: Dialect) -> tuple[str, ...]:
    """The statements that have every change of a chunk or of its vectors noted, whoever makes it."""
    found: list[str] = []
    for table, column in _WATCHED:
        if dialect == "postgresql":
            stamp = "(random() * 9e15)::bigint"
            old, new = _NOTE.format(f"OLD.{column}", stamp), _NOTE.format(f"NEW.{column}", stamp)
            found.append(
                f"CREATE OR REPLACE FUNCTION {CHANGES}_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF TG_OP = 'DELETE' THEN {old}; ELSE {new}; END IF; RETURN NULL; END $$"
            )
            found.append(
                f"CREATE TRIGGER {CHANGES}_{table} AFTER INSERT OR UPDATE OR DELETE ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION {CHANGES}_{table}()"
            )
            continue
        for event in ("insert", "update", "delete"):
            row = "old" if event == "delete" else "new"
            found.append(
                f"CREATE TRIGGER {CHANGES}_{table}_{event} AFTER {event.upper()} ON {table}"
                f" BEGIN {_NOTE.format(f'{row}.{column}', 'random()')}; END"
            )
    return tuple(found)


def drop_watch(dialect: Dialect) -> tuple[str, ...]:
    """The statements that end that, and forget what was noted."""
    found: list[str] = []
    for table, _ in _WATCHED:
        if dialect == "postgresql":
            found += [
                f"DROP TRIGGER IF EXISTS {CHANGES}_{table} ON {table}",
                f"DROP FUNCTION IF EXISTS {CHANGES}_{table}()",
            ]
        else:
            found += [
                f"DROP TRIGGER IF EXISTS {CHANGES}_{table}_{event}"
                for event in ("insert", "update", "delete")
            ]
    return (*found, f"DELETE FROM {CHANGES}")


WATCH = {
    "sqlite": f"SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = '{CHANGES}_{VECTORS}_insert'",
    "postgresql": f"SELECT 1 FROM pg_trigger WHERE tgname = '{CHANGES}_{VECTORS}'",
}
"""Whether changes are noted."""
