"""The rules of an organization for its assistants' tools: read, replaced as a whole, remembered for the turn."""

from functools import partial

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.organizations import get_organization
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database, announce
from famulus.kernel.memory import Memory
from famulus.kernel.tables import utc_now
from famulus.tools.events import ToolRulesChanged
from famulus.tools.models import ToolPolicy
from famulus.tools.policy import ToolRule

MEMORY, SIZE = 2.0, 5_000


async def rules_of(session: AsyncSession, organization_id: str) -> tuple[ToolRule, ...]:
    """The rules of an organization, none at first."""
    policy = await session.get(ToolPolicy, organization_id)
    return msgspec.convert(policy.rules, tuple[ToolRule, ...]) if policy else ()


async def get_rules(
    session: AsyncSession, principal: Principal, organization_id: str
) -> tuple[ToolRule, ...]:
    """The rules, for those who care for the organization. Raises NotFound or Forbidden."""
    await access.require_in(session, principal, "see", "tool rules", organization_id=organization_id)
    return await rules_of(session, organization_id)


async def set_rules(
    session: AsyncSession, principal: Principal, organization_id: str, rules: tuple[ToolRule, ...]
) -> tuple[ToolRule, ...]:
    """Replace the rules. Raises NotFound or Forbidden."""
    principal.no_tool()
    await access.require_in(session, principal, "change", "tool rules", organization_id=organization_id)
    before = await rules_of(session, organization_id)
    if rules == before:
        return rules
    policy = await session.get(ToolPolicy, organization_id) or ToolPolicy(organization_id=organization_id)
    policy.rules = [msgspec.to_builtins(rule) for rule in rules]
    policy.updated_at = utc_now()
    session.add(policy)
    await session.flush()
    organization = await get_organization(session, principal, organization_id)
    audit.record(
        session,
        principal,
        "tool_rules.change",
        audit.Thing(organization_id, organization.name, organization_id),
        before={"rules": msgspec.to_builtins(before)},
        after={"rules": policy.rules},
    )
    announce(session, ToolRulesChanged(organization_id))
    return rules


class RulesCache:
    """What `rules_of` says, a little while ago at most; a change made on this instance is seen at once."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._memory = Memory[str, tuple[ToolRule, ...]](seconds=MEMORY, size=SIZE)
        bus.subscribe(ToolRulesChanged, lambda event: self._memory.forget(event.organization_id))

    async def get(self, organization_id: str | None) -> tuple[ToolRule, ...]:
        """The rules that hold where somebody is."""
        if organization_id is None:
            return ()
        return await self._memory.get(organization_id, partial(self._load, organization_id))

    async def _load(self, organization_id: str) -> tuple[ToolRule, ...]:
        async with self._database.read() as session:
            return await rules_of(session, organization_id)
