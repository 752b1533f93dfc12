"""An organization's rules for its assistants' tools, over HTTP."""

import msgspec
from fastapi import APIRouter

from famulus.identity.deps import CurrentPrincipal, IdPath, ReadSession, WriteSession
from famulus.tools import rules
from famulus.tools.policy import ToolRule
from famulus.tools.schemas import ToolRulesBody

router = APIRouter(prefix="/api/v1", tags=["tools"])


@router.get("/organizations/{organization_id}/tool-rules")
async def get_tool_rules(
    organization_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> ToolRulesBody:
    """Which calls of tools the organization allows at once, asks about, or denies; by its admins."""
    return _body(await rules.get_rules(session, principal, organization_id))


@router.put("/organizations/{organization_id}/tool-rules")
async def set_tool_rules(
    organization_id: IdPath, body: ToolRulesBody, principal: CurrentPrincipal, session: WriteSession
) -> ToolRulesBody:
    """Replace the rules. What destroys is asked about whatever they say."""
    wanted = msgspec.convert(body.model_dump()["rules"], tuple[ToolRule, ...])
    return _body(await rules.set_rules(session, principal, organization_id, wanted))


def _body(found: tuple[ToolRule, ...]) -> ToolRulesBody:
    return ToolRulesBody.model_validate({"rules": [msgspec.to_builtins(rule) for rule in found]})
