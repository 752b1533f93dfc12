"""A01: a stranger's tool goes over the whole API by its OpenAPI document, signed in and not.

Schemathesis makes requests from the document, valid ones and others, follows ids from answers into further requests,
and replays what one person may read as another who may not. It has to find nothing here, and a planted hole at once.

Signed in, every operation is asked with the bounds of each of its parameters, some forty requests each, and at random.
As nobody, those that ask for no sign-in are asked likewise, and every other at random: one answer of 401 is like the next.
`FAMULUS_TEST_EXAMPLES` says how many examples are drawn at random for an operation (1); with more than that the bounds are
tried on every operation as nobody as well.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from famulus.identity.deps import CurrentPrincipal, ReadSession
from tests.support.academy import furnish, plant
from tests.support.openapi import operations
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
)
ENDLESS = ("/api/v1/events",)
ENDS_OR_MOVES_THE_TESTER = ("/api/auth/logout", "/api/auth/switch")
PARTS = 3
"""Runs that share the operations, each against a server of its own, so that processes can share them."""
PEERS = ("admin", "their_admin")
"""Administrators of two organizations: each may do much, and nothing to what is the other's."""
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429]
pytestmark = pytest.mark.slow


def fuzzed(world: Served, folder: Path, *options: str, peers: Sequence[str] = ()) -> tuple[int, str]:
    """The exit code and the report of one run; with `peers` as the first of them, else as nobody."""
    config = folder / "schemathesis.toml"
    settings = [f"[checks.negative_data_rejection]\nexpected-statuses = {REFUSALS}\n"]
    if peers:
        tokens = {name: world.academy.people[name].token for name in peers}
        people = [
            {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
            for name, token in tokens.items()
        ]
        (folder / "people.json").write_text(json.dumps({"auth": people}))
        place = json.dumps(str(folder / "people.json"))
        settings.append(f'[auth.wfc]\npath = {place}\nuser = "{peers[0]}"\npeers = {json.dumps(peers)}\n')
    config.write_text("\n".join(settings))
    skipped = [f"--exclude-path={path}" for path in (*ENDLESS, *ENDS_OR_MOVES_THE_TESTER)]
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={config}",
        "run",
        f"{world.url}/openapi.json",
        f"--checks={','.join(CHECKS)}",
        "--generation-deterministic",
        "--no-color",
        "--warnings=off",
        *(skipped if not any(option.startswith("--include") for option in options) else ()),
        *options,
    ]
    # A proxy of the machine's is not for what goes to the machine itself.
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server of the test's own, for what fuzzing leaves behind is nobody else's."""
    with migrated_database("sqlite", tmp_path, request) as url:
        academy = wait_for(plant(url))
        with serving(settings_for(url, tmp_path), academy) as served:
            furnish(academy, served.client)
            yield served


def examples() -> int:
    """How many examples are drawn at random for an operation."""
    return int(os.environ.get("FAMULUS_TEST_EXAMPLES", "1"))


def found_nothing(world: Served, folder: Path, *options: str, peers: Sequence[str] = ()) -> None:
    """Fail with the report of a run that has found something, or has tried nothing."""
    code, report = fuzzed(world, folder, f"--max-examples={examples()}", *options, peers=peers)
    assert code == 0, report.partition("= FAILURES =")[2][:20_000] or report[-8000:]
    assert " generated, " in report, report[-8000:]


def any_thread_is_shown(app: Any) -> None:
    """A route with the classic hole."""

    async def thread_by_id(
        thread_id: str, _principal: CurrentPrincipal, session: ReadSession
    ) -> dict[str, str]:
        query = text("SELECT id, title FROM threads WHERE id = :id")
        row = (await session.execute(query, {"id": thread_id})).one_or_none()
        return {"id": row[0], "title": row[1] or ""} if row else {}

    app.add_api_route("/api/leaky/threads/{thread_id}", thread_by_id)


@pytest.mark.parametrize("part", range(PARTS))
def test_a01_the_whole_api_signed_in(world: Served, document: Any, tmp_path: Path, part: int) -> None:
    paths = sorted(set(document["paths"]) - {*ENDLESS, *ENDS_OR_MOVES_THE_TESTER})
    only = [f"--include-path={path}" for path in paths[part::PARTS]]
    found_nothing(world, tmp_path, "--phases=examples,coverage,fuzzing", *only, peers=PEERS)


def test_a01_ids_of_answers_are_followed(world: Served, tmp_path: Path) -> None:
    """From one operation to the other, signed in."""
    found_nothing(world, tmp_path, "--phases=stateful", peers=PEERS)


def test_a01_the_whole_api_as_nobody(world: Served, tmp_path: Path) -> None:
    found_nothing(world, tmp_path, f"--phases={'coverage,' * (examples() > 1)}fuzzing")


def test_a01_what_asks_for_no_sign_in(world: Served, document: Any, tmp_path: Path) -> None:
    """It declares so; what else there is has to refuse nobody."""
    named = [
        f"--include-operation-id={operation['operationId']}"
        for name, operation in operations(document).items()
        if operation.get("security") == [] and name.partition(" ")[2] not in ENDS_OR_MOVES_THE_TESTER
    ]
    assert len(named) > 5
    found_nothing(world, tmp_path, "--phases=coverage,fuzzing", *named)


def test_a01_a_planted_hole_is_found(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The same run over a server with one careless route: whose thread it is, is never asked."""
    with migrated_database("sqlite", tmp_path, request) as url:
        academy = wait_for(plant(url))
        with serving(settings_for(url, tmp_path), academy, prepare=any_thread_is_shown) as served:
            furnish(academy, served.client)
            only = "--include-path-regex=^/api/(v1/threads|leaky/threads/.thread_id.)$"
            code, report = fuzzed(served, tmp_path, only, "--max-examples=30", peers=PEERS)
    assert code == 1
    assert "ST402 Object-level authorization bypass" in report
    assert "/api/leaky/threads/" in report
