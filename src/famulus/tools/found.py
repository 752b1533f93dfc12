"""What was last found at the other side of a connection, as its admins look at it."""

from famulus.kernel.openapi_document import BadDocument, read_document
from famulus.kernel.text import visible_text
from famulus.tools.connection_schemas import ConnectionTool, ConnectionTools
from famulus.tools.links import Link
from famulus.tools.mcp.catalogue import Offered
from famulus.tools.mcp.toolset import listing
from famulus.tools.openapi.operations import Operation, describe
from famulus.tools.openapi.toolset import EFFECTS

SAID = 1_000


def tools_found(link: Link, document_hash: str | None) -> ConnectionTools:
    """Its tools. Reading the document of a large API takes a moment, so not on the event loop."""
    if link.kind == "mcp":
        items = [_offered(link, each) for each in listing(link.document)]
    else:
        items = [_operation(link, each) for each in _operations(link)]
    return ConnectionTools(document_hash=document_hash, items=items)


def _operations(link: Link) -> tuple[Operation, ...]:
    try:
        return tuple(
            describe(read_document(link.document or ""), source=link.url, base=link.base_url).operations
        )
    except BadDocument:  # nothing that can be used has been found yet; the connection says so itself
        return ()


def _offered(link: Link, offered: Offered) -> ConnectionTool:
    pin = link.approved.get(offered.name)
    return ConnectionTool(
        name=offered.name,
        title=offered.title,
        description=offered.description,
        parameters=offered.schema,
        says_reads=offered.reads,
        says_destroys=offered.destroys,
        effect=link.effects.get(offered.name) or offered.effect,
        approval="new" if pin is None else "approved" if pin == offered.pin else "changed",
    )


def _operation(link: Link, operation: Operation) -> ConnectionTool:
    does = EFFECTS.get(operation.method, "writes")
    said = operation.summary.strip() or operation.description.strip()
    return ConnectionTool(
        name=operation.id,
        title=operation.title,
        description=visible_text(said[:SAID]),
        parameters={},
        says_reads=does == "reads",
        says_destroys=does == "destroys",
        effect=link.effect(operation.id, does),
        approval="approved" if link.allows(operation.id) else "new",
    )
