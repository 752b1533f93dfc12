"""What a connection is, as values: where it leads, how it signs in, and what of it may be used.

none            nothing is added
header          a header of the connection's own, such as `X-Api-Key`
bearer          a token of the connection's own
oauth2_client   a token fetched with a client's id and secret, again when it has ended
asker           the token of a trusted issuer that the person who asks has come with
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, assert_never

import msgspec

from famulus.tools.contract import Effect

Kind = Literal["openapi", "mcp"]
State = Literal["new", "ok", "failed"]
"""Whether what is on the other side is known, from when it was last looked at; `new` until then."""


class NoAuth(msgspec.Struct, frozen=True, tag_field="kind", tag="none"):
    """Nothing is added."""


class HeaderAuth(msgspec.Struct, frozen=True, tag_field="kind", tag="header"):
    """A header with a secret value."""

    name: str
    value: str


class BearerAuth(msgspec.Struct, frozen=True, tag_field="kind", tag="bearer"):
    """A token that does not change."""

    token: str


class ClientAuth(msgspec.Struct, frozen=True, tag_field="kind", tag="oauth2_client"):
    """OAuth 2.0 client credentials."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""


class AskerAuth(msgspec.Struct, frozen=True, tag_field="kind", tag="asker"):
    """The asker's own token of a trusted issuer."""


Auth = NoAuth | HeaderAuth | BearerAuth | ClientAuth | AskerAuth
encode_auth = msgspec.json.Encoder().encode
decode_auth = msgspec.json.Decoder(Auth).decode


def shown_auth(auth: Auth) -> dict[str, object]:
    """What may be seen of it: everything but the secret, of which only that it is set."""
    match auth:
        case NoAuth():
            return {"kind": "none", "secret_set": False}
        case HeaderAuth(name=name):
            return {"kind": "header", "name": name, "secret_set": True}
        case BearerAuth():
            return {"kind": "bearer", "secret_set": True}
        case ClientAuth():
            return {
                "kind": "oauth2_client",
                "token_url": auth.token_url,
                "client_id": auth.client_id,
                "scope": auth.scope,
                "secret_set": True,
            }
        case AskerAuth():
            return {"kind": "asker", "secret_set": False}
        case _:
            assert_never(auth)


@dataclass(frozen=True, slots=True)
class Link:
    """A connection as it is used."""

    id: str
    organization_id: str
    kind: Kind
    name: str
    """What the names of its tools begin with."""
    url: str | None
    """Where its document, or its server, is; None for a document that was handed in."""
    base_url: str | None
    """Where to call, whatever the document says."""
    sealed: str = field(repr=False)
    """How it signs in, as `Auth`, sealed by the vault for its id."""
    allow: tuple[str, ...] = ("*",)
    """Patterns of the tools that may be used."""
    effects: Mapping[str, Effect] = field(default_factory=dict[str, Effect])
    """By name of a tool, its effect where it is not what it seems."""
    command: tuple[str, ...] | None = None
    """The program that is the other side, with its arguments, where there is no address."""
    approved: Mapping[str, str] = field(default_factory=dict[str, str])
    """By name of a tool of an MCP server, the pin of what an admin has approved."""
    document: str | None = field(default=None, repr=False)
    """What was last found at the other side, as text that its kind understands."""

    def tool_name(self, own: str) -> str:
        """The name under which a tool of the other side is offered, at most 64 characters."""
        return f"{self.name}_{own}"[:64]

    def allows(self, own: str) -> bool:
        """Whether a tool of the other side may be used: patterns are for its own name or its whole one."""
        return any(_fits(self, own, pattern) for pattern in self.allow)

    def effect(self, own: str, guessed: Effect) -> Effect:
        """What a tool does: what was said of it, else what was guessed."""
        return self.effects.get(own) or self.effects.get(self.tool_name(own)) or guessed


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the other side has found."""

    document: str
    """To be kept: tools are made from it without asking again."""
    tools: Sequence[str]
    """Their names."""
    notes: tuple[str, ...] = ()
    """What could not be taken, each with why."""


class Problem(Exception):
    """The other side cannot be used; the message is for who set the connection up, and has no secret in it."""


def _fits(link: Link, own: str, pattern: str) -> bool:
    return fnmatchcase(own, pattern) or fnmatchcase(link.tool_name(own), pattern)
