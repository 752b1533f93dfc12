"""For whom a run was accepted, as it is kept: what an older server has written is read as well."""

from dataclasses import replace

import msgspec
import pytest

from famulus.identity.principal import Principal
from famulus.runs.ask import Ask
from famulus.runs.work import Asker, decode_asker, encode_asker
from tests.runs.conftest import Instance, Open, execute
from tests.runs.test_approvals import Wiper, cards
from tests.support.fake_provider import FakeProvider
from tests.support.waiting import until

ADA = Principal("usr_1", "Ada", "ada@famulus.local", role="student", organization_id="org_1")


def test_scopes_are_kept() -> None:
    for scopes in (None, frozenset[str](), frozenset({"read", "chat"})):
        asker = Asker(replace(ADA, scopes=scopes, session_id=None), "ast_1", "crs_1")
        assert decode_asker(encode_asker(asker)) == asker


def test_rows_without_scopes_are_of_somebody_who_has_signed_in() -> None:
    row = msgspec.json.decode(encode_asker(Asker(ADA, "ast_1")))
    for name in ("scopes", "email_verified", "locale"):
        del row["principal"][name]

    assert decode_asker(msgspec.json.encode(row)).principal.scopes is None


async def askers(instance: Instance) -> list[tuple[str, bool]]:
    """How each run stands, and whether a token of its asker is kept with it."""
    rows = await execute(instance.database, "SELECT status, asker FROM runs ORDER BY id")
    return [(row[0], "sealed" in row[1]) for row in rows]


async def start(instance: Instance, thread_id: str) -> str:
    """A run of somebody who has come with a token."""
    who = replace(instance.person, token="v1:sealed")
    return (await instance.parts.runs.start(who, Ask(thread_id, "Do it."))).run.id


async def ends(instance: Instance, *statuses: str) -> list[tuple[str, bool]]:
    async def ended() -> bool:
        return [status for status, _ in await askers(instance)] == [*statuses]

    await until(ended)
    return await askers(instance)


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
async def test_a_token_is_kept_as_long_as_the_run_lasts(
    opened: Open, provider: FakeProvider, end: str
) -> None:
    if end == "failed":
        provider.fail(400)
    elif end == "cancelled":
        provider.hang()
    async with opened() as instance:
        run_id = await start(instance, await instance.thread())
        if end == "cancelled":
            assert await askers(instance) == [("running", True)]
            await instance.parts.runs.cancel(instance.person, run_id)
        assert await ends(instance, end) == [(end, False)]


async def test_it_goes_with_one_that_waited_in_the_queue(opened: Open, provider: FakeProvider) -> None:
    provider.hang()
    async with opened() as instance:
        thread = await instance.thread(on_second_message="enqueue")
        await start(instance, thread)
        second = await start(instance, thread)
        assert await askers(instance) == [("running", True), ("queued", True)]
        await instance.parts.runs.cancel(instance.person, second)
        assert await askers(instance) == [("running", True), ("cancelled", False)]


@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_it_goes_with_one_that_waited_for_a_person(
    opened: Open, provider: FakeProvider, how: str
) -> None:
    provider.reply("", tool_calls=[("wipe", {"text": "all"})])
    async with opened(Wiper().wipe(), approval_lifetime=1 if how == "expired" else 60) as instance:
        run_id = await start(instance, await instance.thread())
        assert cards(await instance.follow(run_id))
        assert (await askers(instance))[0][1]
        if how == "cancelled":
            await instance.parts.runs.cancel(instance.person, run_id)
        status = "failed" if how == "expired" else "cancelled"
        assert await ends(instance, status) == [(status, False)]
