"""Approving what an MCP server offers: an admin looks at each tool as it was found, and says which may be used."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.errors import Conflict, FieldProblem, Invalid
from famulus.kernel.tables import utc_now
from famulus.tools.connection_schemas import ApproveTools, ConnectionTools
from famulus.tools.connections import find_connection, link_of
from famulus.tools.events import ConnectionsChanged
from famulus.tools.found import tools_found
from famulus.tools.mcp.toolset import listing


class FoundSince(Conflict):
    """Something else has been found at this server since; look at its tools again."""

    code = "found_since"


async def approve(
    session: AsyncSession, principal: Principal, connection_id: str, wanted: ApproveTools
) -> ConnectionTools:
    """Let exactly these tools be used, as they were found. Raises NotFound, Forbidden, FoundSince or Invalid."""
    principal.no_tool()
    row = await find_connection(session, principal, connection_id, "change", document=True)
    found = listing(row.document) if row.kind == "mcp" else []
    offered = {each.name: each for each in found}
    if wanted.document_hash != row.document_hash:
        raise FoundSince()
    names = list(offered) if wanted.tools is None else list(dict.fromkeys(wanted.tools))
    if strange := [name for name in names if name not in offered]:
        raise Invalid(fields=(FieldProblem("tools", f"The server has no tool {strange[0]!r}."),))
    approved = {name: offered[name].pin for name in names}
    effects = dict(row.effects)
    if wanted.believe_reads:
        effects |= {name: "reads" for name in names if offered[name].reads}
    if (approved, effects) != (row.approved, row.effects):
        before = {"approved": sorted(row.approved), "effects": dict(row.effects)}
        row.approved, row.effects, row.updated_at = approved, effects, utc_now()
        await session.flush()
        after = {"approved": sorted(approved), "effects": effects, "document_hash": row.document_hash}
        thing = audit.Thing(row.id, row.name, row.organization_id)
        audit.record(session, principal, "connection.approve", thing, before=before, after=after)
        announce(session, ConnectionsChanged(row.organization_id))
    return tools_found(link_of(row, row.document), row.document_hash)
