"""Answers that use a connected API: through the whole server without its doors, on both databases."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from famulus.app import Parts, open_parts
from famulus.campus.organizations import create_organization
from famulus.campus.schemas.organizations import NewOrganization
from famulus.conversations.beginning import create_thread
from famulus.conversations.parts import Tool
from famulus.conversations.threads import list_messages
from famulus.identity.accounts import create_account
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.paging import Paging
from famulus.kernel.settings import load_settings
from famulus.runs.ask import Ask
from famulus.runs.work import Asker, decode_asker, encode_asker
from famulus.tools.connection_schemas import NewConnection
from famulus.tools.policy import ToolRule
from famulus.tools.rules import set_rules
from tests.support.rooms import SITE
from tests.support.shop import KEY, Shop

SCRIPT = """\
Hello.
--- message
@when read orders
@tool shop_listOrders {"limit": 2}
There are two.
--- message
@when write and fail
@tool shop_writeBroken {}
It may have been written.
--- message
@when order a pen
@tool shop_createOrder {"article": "Pen", "count": 1}
Ordered.
"""


@dataclass
class Asked:
    """A server at work, and a member of an organization that has a connection."""

    parts: Parts
    person: Principal

    async def ask(self, text: str) -> list[Tool]:
        """The tool calls of the answer to a first message."""
        async with self.parts.database.write() as session:
            thread = (await create_thread(session, self.person)).thread.id
        started = await self.parts.runs.start(self.person, Ask(thread, text))
        batches = await self.parts.runs.follow(self.person, started.run.id)
        async for batch in batches:
            if any(entry.event.__struct_config__.tag == "approval.requested" for entry in batch):
                run = await self.parts.runs.get(self.person, started.run.id)
                assert run.status == "awaiting_approval"
                return []
        async with self.parts.database.read() as session:
            messages = (await list_messages(session, self.person, thread, Paging(10, None))).items
        return [part for message in messages for part in message.parts if isinstance(part, Tool)]


@pytest.fixture
async def asked(database: Database, database_url: str, tmp_path: Path, shop: Shop) -> AsyncIterator[Asked]:
    (tmp_path / "script.md").write_text(SCRIPT, encoding="utf-8")
    async with database.write() as session:
        account = await create_account(session, email="ada@famulus.local", name="Ada", password_hash=None)
        organization = (await create_organization(session, SITE, NewOrganization(name="Ours"))).id
    settings = load_settings(
        database_url=database_url,
        data_dir=tmp_path,
        model=f"scripted:{tmp_path / 'script.md'}",
        allowed_private_hosts=("127.0.0.1",),
    )
    async with open_parts(settings) as parts:
        admin = replace(SITE, user_id=account.id)
        body = {"name": "shop", "url": f"{shop.url}/openapi.json", "organization_id": organization}
        new = NewConnection.model_validate({**body, "auth": {"kind": "bearer", "token": KEY}})
        assert (await parts.connections.create(admin, new)).state == "ok"
        yield Asked(parts, Principal(account.id, "Ada", account.email, "student", organization))


async def test_an_answer_reads_from_a_connected_api(asked: Asked, shop: Shop) -> None:
    [called] = await asked.ask("Please read orders")
    assert called.status == "ok"
    result = json.loads(called.result or "")
    assert result["said"] == "GET /orders answered 200."
    assert [row["id"] for row in result["data"]] == [0, 1]
    assert result["data"][0]["api_key"] == "•••"
    assert KEY not in called.result
    assert shop.last[2]["idempotency-key"].startswith("run_")


async def test_what_writes_waits_for_a_person(asked: Asked, shop: Shop) -> None:
    before = len(shop.asked)
    assert await asked.ask("Please order a pen") == []
    assert len(shop.asked) == before


async def test_a_write_that_may_have_happened_is_shown_as_unknown(asked: Asked, shop: Shop) -> None:
    rules = (ToolRule("shop_write*", "allow"),)
    async with asked.parts.database.write() as session:
        await set_rules(session, SITE, asked.person.organization_id or "", rules)
    before = len(shop.asked)
    [called] = await asked.ask("Please write and fail")
    assert called.status == "unknown"
    assert "POST /broken answered 503: the shop is on fire" in (called.result or "")
    assert "Look before you do it again" in (called.result or "")
    assert len(shop.asked) == before + 1


async def test_the_sealed_token_of_the_asker_goes_with_the_run_and_is_not_readable_there() -> None:
    principal = Principal("usr_1", "Ada", "ada@example.org", token="v1.sealed")
    kept = encode_asker(Asker(principal, "ast_1"))
    assert decode_asker(kept).principal.token == "v1.sealed"
    assert "sealed" not in repr(principal)
    assert principal == replace(principal, token=None)
