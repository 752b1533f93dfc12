"""Connections over HTTP: set up, looked at, changed, removed; by whom; and no way to see a secret again."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from famulus.campus.routes.auditing import router as auditing
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.secrets import Vault
from famulus.kernel.settings import load_settings
from famulus.ops.checks import check_connections
from famulus.tools.connected import Connected
from famulus.tools.kinds import every_kind
from famulus.tools.routes.connections import router as connections
from tests.support.rooms import World, build_world, serving
from tests.support.shop import KEY, Shop, tiny_document
from tests.tools.conftest import call

HERE = "/api/v1/connections"
BEARER = {"kind": "bearer", "token": KEY}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants; 127.0.0.1 may be asked."""
    settings = load_settings(allowed_private_hosts=("127.0.0.1",))
    async with serving(database, connections, auditing, settings=settings) as client:
        yield await build_world(database, client)


@pytest.fixture
async def connected(database: Database) -> AsyncIterator[Connected]:
    vault, outbound = Vault(b"a secret of the tests, 32 bytes long"), Outbound(["127.0.0.1"])
    yield Connected(database, database.bus, every_kind(vault, outbound))
    await outbound.close()


async def made(world: World, **fields: object) -> dict:
    answer = await world["admin"].post(HERE, {"name": "tiny", "document": tiny_document(), **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_connection_is_made_looked_at_changed_and_removed(
    world: World, shop: Shop, connected: Connected
) -> None:
    given = {"name": "shop", "document": None, "url": f"{shop.url}/openapi.json", "auth": BEARER}
    answer = await world["admin"].post(HERE, {key: value for key, value in given.items() if value})
    assert answer.status_code == 201, answer.text
    one = answer.json()
    assert (one["state"], one["problem"], one["organization_id"]) == ("ok", None, world.ours)
    assert one["tool_count"] > 10
    assert one["auth"]["kind"] == "bearer"
    assert one["auth"]["secret_set"] is True
    principal = await world.principal("student")
    names = {tool.name: tool for tool in await connected.tools(principal)}
    assert (await call(names["shop_readPrivate"], {}, principal)).said == "GET /private answered 200."
    assert await connected.tools(await world.principal("stranger")) == ()

    path = f"{HERE}/{one['id']}"
    tried = (await world["admin"].ask("POST", f"{path}/test")).json()
    assert "shop_listOrders" in tried["tools"]
    changed = await world["admin"].patch(path, {"allow": ["list*"], "effects": {"listOrders": "writes"}})
    assert changed.json()["tool_count"] == 1
    [tool] = await connected.tools(principal)
    assert (tool.name, tool.effect) == ("shop_listOrders", "writes")
    assert (await world["admin"].patch(path, {"enabled": False})).status_code == 200
    assert await connected.tools(principal) == ()
    assert (await world["admin"].delete(path)).status_code == 204
    assert (await world["admin"].get(path)).status_code == 404


async def test_secrets_are_in_no_view_no_audit_and_no_row(
    world: World, shop: Shop, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    client = {
        "kind": "oauth2_client",
        "token_url": f"{shop.url}/nowhere",
        "client_id": "c",
        "client_secret": KEY,
    }
    header = {"kind": "header", "name": "X-Api-Key", "value": KEY}
    seen = ""
    for n, auth in enumerate((BEARER, header, client)):
        one = (
            await made(world, name=f"tiny{n}", auth=auth)
            if auth is not client
            else (
                await world["admin"].post(
                    HERE, {"name": "shop", "url": f"{shop.url}/openapi.json", "auth": auth}
                )
            ).json()
        )
        seen += json.dumps(one)
        path = f"{HERE}/{one['id']}"
        for answer in (
            await world["admin"].get(path),
            await world["admin"].patch(path, {"auth": auth}),
            await world["admin"].ask("POST", f"{path}/test"),
            await world["admin"].get(HERE),
        ):
            assert answer.status_code == 200, answer.text
            seen += answer.text
    wrong = await world["admin"].post(
        HERE, {"name": "x", "document": "{}", "auth": {**header, "name": "Host"}}
    )
    assert wrong.status_code == 422
    seen += wrong.text + (await world["admin"].get("/api/v1/audit")).text
    async with world.database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM connections")).all()
        entries = (await connection.exec_driver_sql("SELECT * FROM audit_entries")).all()
    assert len(rows) == 3
    seen += repr(rows) + repr(entries) + caplog.text + "".join(capfd.readouterr())
    assert "connection.create" in seen
    assert "set anew" in seen
    assert KEY not in seen


async def test_what_is_wrong_is_said_and_what_was_found_before_stays(world: World, shop: Shop) -> None:
    one = (await world["admin"].post(HERE, {"name": "shop", "url": f"{shop.url}/openapi2.json"})).json()
    assert one["state"] == "failed"
    assert "version 2.0" in one["problem"]
    path = f"{HERE}/{one['id']}"
    one = (await world["admin"].patch(path, {"url": f"{shop.url}/openapi.json"})).json()
    assert (one["state"], one["problem"]) == ("ok", None)
    shop.document_changes["openapi"] = "9.0"
    try:
        tried = (await world["admin"].ask("POST", f"{path}/test")).json()
    finally:
        shop.document_changes.clear()
    assert tried["tools"] == []
    assert tried["connection"]["state"] == "failed"
    assert tried["connection"]["tool_count"] == one["tool_count"]
    state = await check_connections(world.database)
    assert (state.state, state.detail.split(";")[0]) == ("degraded", "1 of 1 failed when last tried")
    await world["admin"].delete(path)
    assert (await check_connections(world.database)).detail == "none"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"document": '{"swagger": "2.0"}'}, "document"),
        ({"document": "words"}, "document"),
        ({"url": "https://example.org/openapi.json"}, ""),
        ({"document": None}, ""),
        ({"document": None, "url": "http://10.0.0.1/openapi.json"}, "url"),
        ({"document": None, "url": "http://user:pass@example.org/"}, "url"),
        ({"document": None, "url": "file:///etc/passwd"}, "url"),
        ({"name": "Shop"}, "name"),
        ({"name": "x" * 22}, "name"),
        ({"kind": "mcp"}, ""),
        ({"kind": "soap"}, "kind"),
        ({"auth": {"kind": "basic"}}, "auth"),
        ({"auth": {"kind": "bearer", "token": "a\nb"}}, "auth.bearer.token"),
        ({"effects": {"list_things": "harms"}}, "effects.list_things"),
        ({"allow": []}, "allow"),
    ],
)
async def test_what_cannot_work_is_refused(world: World, fields: dict, field: str) -> None:
    given = {"name": "tiny", "document": tiny_document(), **fields}
    answer = await world["admin"].post(
        HERE, {key: value for key, value in given.items() if value is not None}
    )
    assert answer.status_code == 422, answer.text
    assert field in {each["path"] for each in answer.json()["fields"]} | {""}
    assert (await world["admin"].get(HERE)).json()["items"] == []


async def test_a_name_is_taken_once_in_an_organization(world: World) -> None:
    await made(world)
    again = await world["admin"].post(HERE, {"name": "tiny", "document": tiny_document()})
    assert (again.status_code, again.json()["code"]) == (409, "connection_name_taken")
    theirs = await world["their_admin"].post(HERE, {"name": "tiny", "document": tiny_document()})
    assert theirs.status_code == 201
    other = await made(world, name="other")
    renamed = await world["admin"].patch(f"{HERE}/{other['id']}", {"name": "tiny"})
    assert renamed.status_code == 409


async def test_only_admins_of_the_organization_and_of_the_site_may(world: World) -> None:
    one = await made(world)
    path = f"{HERE}/{one['id']}"
    for name in ("teacher", "student", "their_admin"):
        person = world[name]
        for answer in (
            await person.get(path),
            await person.patch(path, {"enabled": False}),
            await person.ask("POST", f"{path}/test"),
            await person.delete(path),
        ):
            assert answer.status_code == 404, (name, answer.text)
    for name in ("teacher", "student"):
        assert (await world[name].get(HERE)).status_code == 403
        assert (await world[name].post(HERE, {"name": "x", "document": tiny_document()})).status_code == 403
    there = {"organization_id": world.ours, "name": "x", "document": tiny_document()}
    assert (await world["their_admin"].post(HERE, there)).status_code == 404
    assert (await world["their_admin"].get(HERE)).json()["items"] == []
    assert (await world["site"].post(HERE, there)).status_code == 201
    assert len((await world["site"].get(HERE)).json()["items"]) == 2
    assert (await world["site"].get(path)).status_code == 200


async def test_a_kept_secret_is_not_sent_to_another_server(world: World, shop: Shop) -> None:
    one = await made(world, auth=BEARER, base_url=shop.url)
    path = f"{HERE}/{one['id']}"
    moved = await world["admin"].patch(path, {"base_url": "https://evil.example"})
    assert moved.status_code == 422
    assert "entered again" in moved.text
    assert (await world["admin"].patch(path, {"base_url": f"{shop.url}/v2"})).status_code == 200
    again = {"base_url": "https://other.example", "auth": BEARER}
    assert (await world["admin"].patch(path, again)).status_code == 200


async def test_tokens_of_askers_are_the_sites_to_pass_on(world: World) -> None:
    given = {
        "name": "me",
        "document": tiny_document(),
        "auth": {"kind": "asker"},
        "organization_id": world.ours,
    }
    assert (await world["admin"].post(HERE, given)).status_code == 403
    one = (await world["site"].post(HERE, given)).json()
    assert one["auth"]["secret_set"] is False
    path = f"{HERE}/{one['id']}"
    assert (await world["admin"].patch(path, {"base_url": "https://evil.example"})).status_code == 403
    assert (await world["admin"].delete(path)).status_code == 204


async def test_a_handed_in_document_takes_the_place_of_an_address(world: World, shop: Shop) -> None:
    one = (await world["admin"].post(HERE, {"name": "shop", "url": f"{shop.url}/openapi.json"})).json()
    path = f"{HERE}/{one['id']}"
    both = {"url": shop.url, "document": tiny_document()}
    assert (await world["admin"].patch(path, both)).status_code == 422
    one = (await world["admin"].patch(path, {"document": tiny_document()})).json()
    assert (one["url"], one["tool_count"]) == (None, 1)
    assert (await world["admin"].patch(path, {"document": "no"})).status_code == 422
    assert (await world["admin"].get(path)).json()["tool_count"] == 1


async def test_a_list_goes_on_where_it_ended_and_has_an_end(world: World) -> None:
    for n in range(3):
        await made(world, name=f"tiny{n}")
    first = (await world["admin"].get(HERE, limit=2)).json()
    rest = (await world["admin"].get(HERE, limit=2, after=first["next"])).json()
    assert [each["name"] for each in first["items"] + rest["items"]] == ["tiny0", "tiny1", "tiny2"]
    assert rest["next"] is None


async def test_the_principal_of_another_organization_has_other_tools(
    world: World, connected: Connected
) -> None:
    await made(world)
    principal = await world.principal("student")
    [tool] = await connected.tools(principal)
    assert tool.name == "tiny_list_things"
    assert await connected.tools(replace(principal, organization_id=world.theirs)) == ()
    assert await connected.tools(replace(principal, organization_id=None)) == ()


async def test_admins_see_what_each_operation_is_taken_to_do(world: World, shop: Shop) -> None:
    given = {"name": "shop", "url": f"{shop.url}/openapi.json", "allow": ["*Order*"]}
    one = (await world["admin"].post(HERE, given)).json()
    await world["admin"].patch(f"{HERE}/{one['id']}", {"effects": {"createOrder": "destroys"}})
    found = (await world["admin"].get(f"{HERE}/{one['id']}/tools")).json()
    items = {each["name"]: each for each in found["items"]}
    effects = {name: items[name]["effect"] for name in ("getOrder", "createOrder", "deleteOrder")}

    assert found["document_hash"] == one["document_hash"]
    assert effects == {"getOrder": "reads", "createOrder": "destroys", "deleteOrder": "destroys"}
    assert (items["getOrder"]["approval"], items["addNote"]["approval"]) == ("approved", "new")
    assert items["getOrder"]["title"].startswith("GET /orders/")
    assert (await world["student"].get(f"{HERE}/{one['id']}/tools")).status_code == 404


async def test_where_nothing_was_found_there_are_no_tools(world: World) -> None:
    given = {"name": "gone", "url": "http://127.0.0.1:9/openapi.json"}
    one = (await world["admin"].post(HERE, given)).json()

    assert one["state"] == "failed"
    assert (await world["admin"].get(f"{HERE}/{one['id']}/tools")).json() == {
        "document_hash": None,
        "items": [],
    }
