"""Trusted issuers: which identity providers are believed, about what, and about whom. What an operator writes down.

One is used in two ways, and may be used in both: with an `audience` its bearer tokens are accepted; with a `client_id`
people sign in to the web app through it.
"""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

OurRole = Literal["site_admin", "organization_admin", "teacher", "student"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that only the issuer can make. What is made with a shared secret is none."""
ClaimPath = str | tuple[str, ...]
"""A claim by its name; one inside another by names with dots between them, or as a list of names."""


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClaimNames(_Given):
    """Where the claims stand that say who somebody is."""

    email: ClaimPath = "email"
    email_verified: ClaimPath = "email_verified"
    name: ClaimPath = "name"
    organization: ClaimPath | None = None
    role: ClaimPath | None = None


class TrustedIssuer(_Given):
    """One identity provider. Only `issuer` and one of `audience` and `client_id` are needed."""

    issuer: str = Field(min_length=1, max_length=300)
    """As it stands in `iss`, to the letter."""
    audience: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Of bearer tokens: one of these has to be in `aud`."""
    jwks_url: str | None = None
    """Where the keys are; by default where the issuer's `.well-known/openid-configuration` says."""
    algorithms: tuple[Algorithm, ...] = Field(("RS256", "ES256"), min_length=1)
    leeway: int = Field(60, ge=0, le=300)
    """Seconds by which clocks may differ."""
    accept_id_tokens: bool = False
    """Whether an ID token is taken as a bearer token."""

    claims: ClaimNames = ClaimNames()
    roles: dict[str, OurRole] = {}
    """Our role by the issuer's word for it."""
    default_role: Literal["organization_admin", "teacher", "student"] | None = "student"
    """For whoever belongs to an organization and has no role that `roles` knows; null: they do not belong."""
    allow_site_admin: bool = False
    organizations: Literal["id", "name"] = "name"
    """How the claim names an organization."""
    default_organization: str | None = None
    """Where people belong whose claims name none."""
    only_organizations: tuple[str, ...] | None = None
    """Where this issuer may put people, named as the claim names them; null: anywhere."""
    create_organizations: bool = False

    provision: bool = True
    """Whether somebody who comes for the first time gets an account."""
    require_verified_email: bool = False
    link_by_email: bool = False
    """Whether an existing account with the same address is theirs, if the issuer says that it is verified."""

    id: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    """Names the provider in addresses."""
    name: str | None = Field(None, max_length=60)
    """Names it on the button."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    scopes: tuple[str, ...] = ("openid", "email", "profile")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.audience and self.client_id is None:
            raise ValueError("give an `audience`, for bearer tokens, or a `client_id`, for signing in")
        if self.client_id is not None and self.id is None:
            raise ValueError("a `client_id` needs an `id`, such as `google`")
        if "site_admin" in self.roles.values() and not self.allow_site_admin:
            raise ValueError("`roles` gives out site_admin; set `allow_site_admin` where that is meant")
        for url in filter(None, (self.issuer, self.jwks_url)):
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise ValueError(f"{url!r} is not an https:// address")
        return self

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.id or urlsplit(self.issuer).hostname or self.issuer
