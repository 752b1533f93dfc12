"""The catalogue of our own tools: well-formed, told of in full, and offered to nobody who could never use them."""

import ast
import re
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

import famulus
from famulus.app import own_tools
from famulus.campus.access import RIGHTS
from famulus.identity.principal import Principal, Role
from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from famulus.tools.arguments import spec_of
from famulus.tools.contract import Tool
from famulus.tools.offer import Toolbox

EVERYBODY = {
    "search_knowledge", "get_me", "list_my_courses", "recent_activity", "switch_role", "list_organizations",
    "list_projects", "list_tracks", "list_courses", "list_lessons", "create_task", "list_tasks", "update_task",
    "delete_task", "open_passage", "summarise_course",
}  # fmt: skip
TEACHING = {
    "create_track", "update_track", "create_course", "update_course", "archive_course", "restore_course",
    "create_lesson", "update_lesson", "archive_lesson", "restore_lesson", "enrol_students", "withdraw_student",
    "set_course_assistant", "get_analytics", "draft_lesson", "draft_quiz", "discard_lesson_draft",
    "discard_quiz_draft",
}  # fmt: skip
ADMINISTERING = {
    "update_organization", "organization_settings", "create_project", "update_project", "archive_project",
    "restore_project", "archive_track", "restore_track", "invite_instructor",
}  # fmt: skip
CARING_FOR_THE_SITE = {"create_organization", "archive_organization", "restore_organization"}
NOWHERE = {
    "search_knowledge", "get_me", "list_my_courses", "recent_activity", "create_task", "list_tasks", "update_task",
    "delete_task", "open_passage", "summarise_course",
}  # fmt: skip
BY_ROLE: tuple[tuple[Role | None, bool, set[str]], ...] = (
    ("site_admin", True, EVERYBODY | TEACHING | ADMINISTERING | CARING_FOR_THE_SITE),
    ("organization_admin", True, EVERYBODY | TEACHING | ADMINISTERING),
    ("teacher", True, EVERYBODY | TEACHING),
    ("teacher", False, EVERYBODY),
    ("student", True, EVERYBODY),
    (None, True, NOWHERE),
)
"""By role, and whether the address is proven, what is offered."""


@pytest.fixture
async def tools(tmp_path: Path) -> tuple[Tool, ...]:
    """Our own tools, on a database that is never opened."""
    return own_tools(Database(f"sqlite+aiosqlite:///{tmp_path}/none.db"), load_settings())


async def test_names_are_unique_and_fit(tools: tuple[Tool, ...]) -> None:
    names = [tool.name for tool in tools]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z_]{1,64}", name)] == []


async def test_schemas_are_closed_and_tell_of_every_argument(tools: tuple[Tool, ...]) -> None:
    for tool in tools:
        schema = msgspec.json.decode(spec_of(tool).parameters)
        jsonschema_rs.meta.validate(schema)
        assert schema["additionalProperties"] is False, tool.name
        assert schema["type"] == "object", tool.name
        assert tool.description.endswith("."), tool.name


async def test_each_asks_for_a_right_that_there_is(tools: tuple[Tool, ...]) -> None:
    for tool in tools:
        if tool.needs is not None:
            thing, action = tool.needs
            assert action in RIGHTS[thing], tool.name


async def test_what_destroys_says_what_would_happen(tools: tuple[Tool, ...]) -> None:
    assert [tool.name for tool in tools if tool.effect == "destroys" and tool.preview is None] == []
    assert [tool.name for tool in tools if tool.effect == "reads" and tool.preview is not None] == []


async def test_what_takes_back_is_a_tool(tools: tuple[Tool, ...]) -> None:
    names = {tool.name for tool in tools}
    named = set[str]()
    for path in Path(famulus.__path__[0]).rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Undo" and "tools" in path.parts[-3:]:
                named.add(ast.unparse(call.args[0]).strip("f'\""))
    whole = {name for name in named if "{" not in name}
    made = {f"{verb}_{kind}" for verb in ("archive", "restore", "update") for kind in KINDS}

    assert {re.sub(r"{.*}", "{}", name) for name in named - whole} == {
        "archive_{}",
        "restore_{}",
        "update_{}",
    }
    assert (whole | made) - names == set()


KINDS = ("organization", "project", "track", "course", "lesson")


@pytest.mark.parametrize(("role", "verified", "wanted"), BY_ROLE)
async def test_each_role_is_offered_what_it_can_ever_do(
    tools: tuple[Tool, ...],
    role: Role | None,
    verified: bool,
    wanted: set[str],
) -> None:
    person = Principal("usr_1", "Ada", "ada@famulus.local", role, "org_1", "Ours", email_verified=verified)

    offer = await Toolbox(tools).offer(person, ("*",))

    assert set(offer.tools) == wanted
    assert [spec.name for spec in offer.specs] == list(offer.tools)


async def test_a_key_that_may_only_read_is_offered_what_reads(tools: tuple[Tool, ...]) -> None:
    person = Principal("usr_1", "Ada", "ada@famulus.local", "teacher", "org_1", scopes=frozenset({"read"}))

    offer = await Toolbox(tools).offer(person, ("*",))

    assert {tool.effect for tool in offer.tools.values()} == {"reads"}
