"""What tests of tools share: somebody else's API, and what calls it."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from famulus.identity.principal import Principal
from famulus.kernel.http import Outbound
from famulus.kernel.secrets import Vault
from famulus.tools.arguments import check_arguments
from famulus.tools.contract import Done, Tool, ToolContext
from famulus.tools.credentials import Credentials
from famulus.tools.links import Auth, Link, NoAuth, encode_auth
from famulus.tools.openapi.toolset import OpenApi
from tests.support.shop import Shop, open_shop

PERSON = Principal("usr_ada", "Ada", "ada@example.org", role="student", organization_id="org_1")


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Somebody else's API."""
    with open_shop() as opened:
        yield opened


@dataclass
class Kit:
    """What calls the operations of a document."""

    vault: Vault
    openapi: OpenApi

    def link(self, auth: Auth | None = None, **changes: Any) -> Link:
        """A connection named `shop`."""
        sealed = self.vault.encrypt(encode_auth(auth or NoAuth()).decode(), "con_1")
        return replace(Link("con_1", "org_1", "openapi", "shop", None, None, sealed), **changes)

    async def tools(self, link: Link) -> dict[str, Tool]:
        """The tools of a connection that is looked at now."""
        found = await self.openapi.look(link)
        return {tool.name: tool for tool in await self.openapi.tools(replace(link, document=found.document))}


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    """Calls 127.0.0.1 as well, and waits for a second."""
    vault, outbound = Vault(b"a secret of the tests, 32 bytes long"), Outbound(["127.0.0.1"])
    yield Kit(vault, OpenApi(outbound, Credentials(vault, outbound), timeout=1.0))
    await outbound.close()


async def call(
    tool: Tool, arguments: Mapping[str, object], principal: Principal = PERSON, key: str = "run_1.call_1"
) -> Done:
    """Call a tool as a run does."""
    context = ToolContext(principal, "thr_1", None, key=key)
    return await tool.act(context, check_arguments(tool, arguments))


Call = Callable[..., Any]
