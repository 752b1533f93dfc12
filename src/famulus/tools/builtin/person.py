"""Tools about the person who asks: who they are, and where."""

from typing import Annotated

from pydantic import Field

from famulus.campus import presence
from famulus.campus.schemas.people import Me
from famulus.kernel.text import Name
from famulus.tools.arguments import Arguments, Nothing
from famulus.tools.builtin import finding
from famulus.tools.builtin.wording import quoted
from famulus.tools.contract import Difference, Done, Preview, Tool, ToolContext, ToolFailed, Undo

NO_SESSION = (
    "Nothing can be switched here: these credentials (a key or a token from outside) are for one place, and carry no "
    "session in which another could be active. Sign in to the web app for that."
)


class SwitchRole(Arguments):
    """Where to."""

    organization: Annotated[
        Name, Field(description="The name of one of the person's organizations, or its id.")
    ]


async def _me(context: ToolContext, _given: Nothing) -> Done:
    me = await presence.me(context.session, context.principal)
    role = _words(me.role)
    at = f", {role} in {quoted(me.organization.name)}" if me.organization else f", {role}"
    data = {
        "name": me.user.name,
        "email": me.user.email,
        "email_verified": me.user.email_verified,
        "role": me.role,
        "organization": me.organization and me.organization.model_dump(),
        "others": [
            {"id": each.organization.id, "organization": each.organization.name, "role": each.role}
            for each in me.memberships
            if me.organization is None or each.organization.id != me.organization.id
        ],
    }
    return Done(f"You are {me.user.name}{at}.", data, next=("List my courses", *_elsewhere(me)))


def _elsewhere(me: Me) -> tuple[str, ...]:
    here = me.organization and me.organization.id
    others = [each.organization.name for each in me.memberships if each.organization.id != here]
    return tuple(f"Switch to {quoted(name)}" for name in others[:2])


async def _switch(context: ToolContext, given: SwitchRole) -> Done:
    _require_session(context)
    place = await finding.organization(context, given.organization)
    before = context.principal
    if place.id == before.organization_id:
        return Done(f"You are in {quoted(place.name)} already.", {"organization": place.name})
    now = await presence.switch(context.session, before, place.id)
    undo = None
    if before.organization_id is not None:
        there = quoted(before.organization_name or "")
        undo = Undo("switch_role", {"organization": before.organization_id}, f"Switch back to {there}")
    said = f"You are now {_words(now.role)} in {quoted(place.name)}, from your next question on."
    data = {"id": place.id, "organization": place.name, "role": now.role}
    return Done(said, data, undo, ("List my courses",))


async def _foresee_switch(context: ToolContext, given: SwitchRole) -> Preview:
    _require_session(context)
    place = await finding.organization(context, given.organization)
    change = Difference("organization", context.principal.organization_name, place.name)
    notes = ("It holds for this session, wherever it is open.",)
    return Preview(f"Switch to {quoted(place.name)}", {"organization": place.id}, (change,), notes)


def _require_session(context: ToolContext) -> None:
    if context.principal.session_id is None:
        raise ToolFailed(NO_SESSION)


def _words(role: str | None) -> str:
    match role:
        case None:
            return "without a role"
        case "organization_admin" | "site_admin":
            return f"{'an' if role[0] == 'o' else 'a'} {' '.join(role.split('_'))}"
        case other:
            return f"a {other}"


TOOLS = (
    Tool(
        name="get_me",
        description="Say who the person is: name, active role and organization, and the others to switch to.",
        parameters=Nothing,
        effect="reads",
        act=_me,
    ),
    Tool(
        name="switch_role",
        description="Make another organization that the person belongs to the active one, and with it the role that "
        "they have there. It holds for their whole session, from the next question on.",
        parameters=SwitchRole,
        effect="writes",
        needs=("organization", "see"),
        act=_switch,
        preview=_foresee_switch,
        always_asks=True,
    ),
)
