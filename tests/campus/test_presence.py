"""Rights asked anew, for work that was put off and for every call of a tool."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from famulus.campus.presence import AskerGone, principal_again
from famulus.identity.principal import Principal
from tests.support.rooms import World


async def changed(world: World, sql: str, **values: object) -> None:
    """Change what is stored, behind everybody's back."""
    async with world.database.write() as session:
        await session.execute(text(sql), values)


async def again(world: World, principal: Principal) -> Principal:
    """The person as they are by now."""
    async with world.database.read() as session:
        return await principal_again(session, principal)


async def test_nothing_has_changed(world: World) -> None:
    for name in ("site", "admin", "teacher", "student"):
        principal = replace(
            await world.principal(name),
            session_id="ses_1",
            scopes=frozenset({"read"}),
            token="t",
            by_a_tool=True,
        )

        now = await again(world, principal)

        assert now == principal
        assert (now.by_a_tool, now.token) == (True, "t")


async def test_what_has_changed_is_seen(world: World) -> None:
    principal = await world.principal("teacher")
    await changed(
        world,
        "UPDATE users SET name = 'New', profile = :profile, email_verified_at = NULL WHERE id = :id",
        id=principal.user_id,
        profile='{"goal":"é"}',
    )
    await changed(world, "UPDATE memberships SET role = 'student' WHERE user_id = :id", id=principal.user_id)

    now = await again(world, principal)

    assert (now.name, now.role, now.profile, now.email_verified) == ("New", "student", {"goal": "é"}, False)
    assert now.organization_id == world.ours


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM memberships WHERE user_id = :id",
        "UPDATE users SET suspended = TRUE WHERE id = :id",
        "UPDATE organizations SET archived_at = created_at"
        " WHERE id = (SELECT organization_id FROM memberships WHERE user_id = :id)",
    ],
)
async def test_who_has_lost_the_place_is_gone(world: World, sql: str) -> None:
    principal = await world.principal("student")
    await changed(world, sql, id=principal.user_id)

    with pytest.raises(AskerGone):
        await again(world, principal)


async def test_a_site_admin_is_at_home_everywhere_until_they_are_none(world: World) -> None:
    anywhere = replace(await world.principal("site"), role="site_admin", organization_id=world.theirs)
    await changed(world, "UPDATE users SET site_admin = TRUE WHERE id = :id", id=anywhere.user_id)

    assert (await again(world, anywhere)).organization_name == "Theirs"

    await changed(world, "UPDATE users SET site_admin = FALSE WHERE id = :id", id=anywhere.user_id)
    with pytest.raises(AskerGone):
        await again(world, anywhere)


async def test_who_was_nowhere_stays_nowhere(world: World) -> None:
    nowhere = replace(
        await world.principal("student"), role=None, organization_id=None, organization_name=None
    )

    now = await again(world, nowhere)

    assert (now.role, now.organization_id, now.organization_name) == (None, None, None)
