"""Who is asking, as a frozen value that every service takes as its second word."""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["site_admin", "organization_admin", "teacher", "student"]
ROLES: tuple[Role, ...] = ("site_admin", "organization_admin", "teacher", "student")


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

    @property
    def is_site_admin(self) -> bool:
        """Whether everything of the site is in reach."""
        return self.role == "site_admin"

    @property
    def is_organization_admin(self) -> bool:
        """Whether the active organization is administered by this person."""
        return self.role == "organization_admin" and self.organization_id is not None
