"""What a search has to know before it looks: what it may reach, what of that is still being read, whose vectors it has.

Each statement is a way to PostgreSQL and back, which costs more than most of them do; so there are few.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from famulus.identity.principal import Principal
from famulus.kernel.lane import Script
from famulus.knowledge.ddl import VECTORS, Dialect
from famulus.knowledge.index import Scope, among, scope_word
from famulus.knowledge.sources import OPEN
from famulus.knowledge.vectors import Model
from famulus.knowledge.visibility import reach

MOST_OPEN = 1_000
"""Sources still to be read that are looked at."""
_OPEN, _MODEL, _RELATED, _PLANS = range(4)
_STANDING = (
    f"SELECT {_OPEN} AS kind, NULL AS model, organization_id, course_id, NULL AS dimension, NULL AS ready"  # noqa: S608 – constants
    f" FROM (SELECT organization_id, course_id FROM sources WHERE state IN {OPEN} LIMIT {MOST_OPEN}) AS open"
    f" UNION ALL SELECT {_MODEL}, id, name, NULL, dimension, ready FROM vector_models"
    f" UNION ALL SELECT {_RELATED}, NULL, NULL, NULL, NULL, NULL WHERE EXISTS (SELECT 1 FROM relations)"
)
# The statements of a search say by their making which index leads. PostgreSQL would plan them for the values of each
# search anew (engine_postgres.PLANNING), which takes longer than to run them; from here on it keeps their plans.
_KEEPING = (
    f" UNION ALL SELECT {_PLANS}, NULL,"  # noqa: RUF100, S608
    " set_config('plan_cache_mode', 'force_generic_plan', true), NULL, NULL, NULL"
)


def begin(principal: Principal, course_id: str | None, dialect: Dialect) -> Script:
    """The script that finds scope, number of sources in it that are being read, models, and their vectors in it.

    Raises `NotFound` for a course that the person may not see.
    """
    scope: Scope = yield from reach(principal, course_id, dialect)
    rows = yield _STANDING + (_KEEPING if dialect == "postgresql" else ""), ()
    models = sorted((_model(row) for row in rows if row[0] == _MODEL), key=lambda model: model.id)
    words = frozenset(scope.words)
    reading = sum(scope_word(row[2], row[3], True) in words for row in rows if row[0] == _OPEN)
    counts: dict[int, int] = (yield from _had(scope, dialect)) if models else {}
    return replace(scope, related=any(row[0] == _RELATED for row in rows)), reading, models, counts


def _model(row: Sequence[Any]) -> Model:
    return Model(row[1], row[2], row[4], bool(row[5]))


def _had(scope: Scope, dialect: Dialect) -> Script:
    """How many chunks of a scope have a vector, by model; drafts included, as in `index.size_of`."""
    every = Scope(tuple((course, True) for course, _ in scope.courses), scope.organization_id).words
    found = yield _counting(dialect), (json.dumps(every),)
    return {row[0]: row[1] for row in found}


@lru_cache
def _counting(dialect: Dialect) -> str:
    return f"SELECT model, count(*) FROM {VECTORS} WHERE scope {among(dialect, '$1')} GROUP BY model"  # noqa: S608 – constants
