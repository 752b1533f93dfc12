"""What the routes of connections take and give. Secrets come in here, and never go out."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from famulus.kernel.openapi_document import MAX_DOCUMENT
from famulus.kernel.text import Change, Clearable, Id, Input, LongText
from famulus.tools.contract import Effect
from famulus.tools.links import Auth, Kind, State
from famulus.tools.models import Connection
from famulus.tools.policy import PATTERN

NAME = r"^[a-z][a-z0-9_]{0,20}$"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"
MOST_PATTERNS, MOST_EFFECTS = 100, 500
OURS = frozenset("host content-length content-type transfer-encoding connection famulus-tool-call".split())


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PydanticCustomError("url", "Write an address that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError("url", "Give a user name and a password as auth, not in the address.")
    return value


def _header(value: str) -> str:
    if value.lower() in OURS:
        raise PydanticCustomError("header", "This header is not one to sign in with.")
    return value


Address = Annotated[str, LongText(2_000, single_line=True), AfterValidator(_address)]
ConnectionName = Annotated[str, StringConstraints(pattern=NAME)]
HeaderName = Annotated[str, StringConstraints(pattern=HEADER), AfterValidator(_header)]
Secret = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]+$", max_length=8_000), Field(repr=False)]
Patterns = Annotated[
    list[Annotated[str, StringConstraints(pattern=PATTERN)]], Field(min_length=1, max_length=MOST_PATTERNS)
]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Effects = Annotated[dict[ToolName, Effect], Field(max_length=MOST_EFFECTS)]
Command = Annotated[
    list[Annotated[str, LongText(2_000, single_line=True)]], Field(min_length=1, max_length=50)
]
Document = Annotated[str, LongText(MAX_DOCUMENT, strip=False)]


class NoAuthIn(Input):
    """Nothing is added to requests."""

    kind: Literal["none"]


class HeaderAuthIn(Input):
    """A header with a secret value, such as `X-Api-Key`."""

    kind: Literal["header"]
    name: HeaderName
    value: Secret


class BearerAuthIn(Input):
    """A token in `Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: Secret


class ClientAuthIn(Input):
    """A token that is fetched with OAuth 2.0 client credentials."""

    kind: Literal["oauth2_client"]
    token_url: Address
    client_id: Annotated[str, LongText(500, single_line=True)]
    client_secret: Secret
    scope: Annotated[str, LongText(1_000, min_length=0, single_line=True)] = ""


class AskerAuthIn(Input):
    """The token of a trusted issuer that the person who asks has come with; for site admins to set up."""

    kind: Literal["asker"]


AuthIn = Annotated[
    NoAuthIn | HeaderAuthIn | BearerAuthIn | ClientAuthIn | AskerAuthIn, Field(discriminator="kind")
]


def auth_of(given: Input) -> Auth:
    """How a connection signs in, as it is kept."""
    return msgspec.convert(given.model_dump(), Auth)


class NewConnection(Input):
    """A connection to be."""

    organization_id: Id | None = Field(
        None, description="Only site admins may name another than the active one."
    )
    kind: Kind = "openapi"
    name: ConnectionName = Field(description="What the names of its tools begin with.")
    url: Address | None = Field(None, description="Where its OpenAPI document is, or the MCP server itself.")
    command: Command | None = Field(
        None, description="Of an MCP server: the program to start, with its arguments; for site admins."
    )
    document: Document | None = Field(
        None, description="The document itself, JSON or YAML, where it is not fetched."
    )
    base_url: Address | None = Field(
        None, description="Where to call, whatever the document names as its server."
    )
    auth: AuthIn = Field(default_factory=lambda: NoAuthIn(kind="none"))
    enabled: bool = True
    allow: Patterns = Field(
        ["*"], description="Names of the tools that may be used, with `*` for any characters."
    )
    effects: Effects = Field(
        {}, description="By name of a tool, its effect where it is not what its method says."
    )

    @model_validator(mode="after")
    def _has_one_document(self) -> Self:
        if self.kind == "mcp":
            if self.document is not None or self.base_url is not None:
                raise PydanticCustomError("document", "An MCP server has no document and no `base_url`.")
            if (self.url is None) == (self.command is None):
                raise PydanticCustomError("url", "Send either `url` or `command`.")
            return self
        if self.command is not None:
            raise PydanticCustomError("command", "Only an MCP server can be a program.")
        if (self.url is None) == (self.document is None):
            raise PydanticCustomError("document", "Send either `url` or `document`.")
        return self


class ConnectionChange(Change):
    """What of a connection is to be different; credentials are replaced as a whole."""

    name: ConnectionName | None = None
    url: Address | None = None
    document: Document | None = None
    base_url: Clearable[Address] = None
    command: Command | None = None
    auth: AuthIn | None = None
    enabled: bool | None = None
    allow: Patterns | None = None
    effects: Effects | None = None

    @model_validator(mode="after")
    def _has_one_document(self) -> Self:
        if self.url is not None and self.document is not None:
            raise PydanticCustomError("document", "Send either `url` or `document`.")
        return self


class AuthOut(BaseModel):
    """How a connection signs in; of a secret only that there is one."""

    kind: Literal["none", "header", "bearer", "oauth2_client", "asker"]
    secret_set: bool
    name: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    scope: str | None = None


class ConnectionOut(BaseModel):
    """A connection, and how it was when it was last looked at."""

    id: str
    organization_id: str
    kind: Kind
    name: str
    url: str | None
    base_url: str | None
    command: list[str] | None
    """The program that is started, of an MCP server that has no address."""
    auth: AuthOut
    enabled: bool
    allow: list[str]
    effects: dict[str, Effect]
    state: State
    problem: str | None
    """What is wrong and what to do."""
    notes: list[str]
    """Operations that cannot be used, each with why."""
    checked_at: datetime | None
    tool_count: int
    document_hash: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Connection) -> Self:
        """A row as it is shown."""
        shown = {name: getattr(row, name) for name in cls.model_fields if name != "auth"}
        return cls(**shown, auth=AuthOut.model_validate(row.auth))


class ConnectionPage(BaseModel):
    """Some of the connections."""

    items: list[ConnectionOut]
    next: str | None


class ConnectionTest(BaseModel):
    """What a look at the other side has found."""

    connection: ConnectionOut
    tools: list[str]
    """Names of the tools that it brings; none where something is wrong."""


class ConnectionTool(BaseModel):
    """A tool as the other side describes it, and what has been said of it here."""

    name: str
    """The other side's own name for it."""
    title: str
    description: str
    parameters: dict[str, Any]
    """The JSON schema of its arguments; empty for an API, whose document has it."""
    says_reads: bool
    """Whether it says that it only reads, which is not believed of an MCP server by itself."""
    says_destroys: bool
    effect: Effect
    """What it is taken to do."""
    approval: Literal["approved", "changed", "new"]
    """`changed`: something of it is not what was approved. Of an API `approved` is what `allow` lets in."""


class ConnectionTools(BaseModel):
    """Everything that was last found at the other side."""

    document_hash: str | None
    """What an approval of it names."""
    items: list[ConnectionTool]


class ApproveTools(Input):
    """Which tools of an MCP server may be used from now on, exactly as they were found."""

    document_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Of what was looked at; anything else has been found since, and has to be looked at."
    )
    tools: (
        Annotated[list[Annotated[str, LongText(128, single_line=True)]], Field(max_length=1_000)] | None
    ) = Field(None, description="Their names: these and no others; null for all of them.")
    believe_reads: bool = Field(
        False, description="Whether those of them that say so are taken to only read."
    )
