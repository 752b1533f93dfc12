"""Who is asking, as a frozen value that every service takes as its second word."""

from dataclasses import dataclass, field
from typing import Literal

from famulus.kernel.errors import Forbidden

Role = Literal["site_admin", "organization_admin", "teacher", "student"]
ROLES: tuple[Role, ...] = ("site_admin", "organization_admin", "teacher", "student")
Scope = Literal["read", "write", "chat"]
"""What an API key may be for: to see; to change; to talk, in threads and runs of its own."""
SCOPES: tuple[Scope, ...] = ("read", "write", "chat")


class ScopeMissing(Forbidden):
    """This API key was not made for that; make one with the scope it takes."""

    code = "scope_missing"


class NeedsSession(Forbidden):
    """This needs a session: sign in with a password or through a provider; a key or a token is not enough."""

    code = "needs_session"


class NeedsPerson(Forbidden):
    """This takes a person: neither a tool nor an API key can do it for them."""

    code = "needs_person"


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person with the one organization and role that are active in this session."""

    user_id: str
    name: str
    email: str
    role: Role | None = None
    """The active role; None for someone who belongs to no organization yet."""
    organization_id: str | None = None
    organization_name: str | None = None
    session_id: str | None = None
    locale: str = "en"
    email_verified: bool = False
    """Whether the person has shown that the address is theirs; nobody teaches before that."""
    profile: dict[str, str] = field(default_factory=dict[str, str], hash=False)
    """Free fields the person chose to tell, such as `software_background` or `hardware_tier`."""

    scopes: frozenset[str] | None = None
    """What the credentials are good for; None is everything, as for somebody who has signed in."""

    token: str | None = field(default=None, repr=False, compare=False)
    """The token of a trusted issuer that this person has come with, sealed by the vault for their id."""

    by_a_tool: bool = field(default=False, compare=False)
    """Whether a tool of ours makes the request for this person, as it says itself wherever it is sent."""

    def needs_person(self) -> None:
        """Raise `NeedsPerson` for a tool and for an API key: a yes is a person's own."""
        if not self.is_person:
            raise NeedsPerson()

    def no_tool(self) -> None:
        """Raise `NeedsPerson` for a tool: none can widen what tools may do."""
        if self.by_a_tool:
            raise NeedsPerson()

    def needs(self, scope: Scope) -> None:
        """Raise `ScopeMissing`, naming the scope, where these credentials are an API key that was not made for it."""
        if self.scopes is not None and scope not in self.scopes:
            raise ScopeMissing(f"This API key has not the scope {scope!r}; make one that has.")

    def needs_session(self) -> None:
        """Raise `NeedsSession` for a key or a foreign token: with it nobody makes more ways in, or changes the lock."""
        if self.session_id is None:
            raise NeedsSession()

    @property
    def is_person(self) -> bool:
        """Whether a yes that comes with these credentials is a person's own."""
        return not self.by_a_tool and self.scopes is None

    @property
    def is_site_admin(self) -> bool:
        """Whether everything of the site is in reach."""
        return self.role == "site_admin"

    @property
    def is_organization_admin(self) -> bool:
        """Whether the active organization is administered by this person."""
        return self.role == "organization_admin" and self.organization_id is not None
