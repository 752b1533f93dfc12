"""What identity's routes take and give."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from famulus.identity.accounts import EMAIL_LENGTH, Account, normal_email
from famulus.identity.models import MailState
from famulus.identity.sessions import Mode, Opened
from famulus.kernel.text import Change, Input, LongText, Name

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 200


def _email(value: str) -> str:
    try:
        return normal_email(value)
    except ValueError as error:
        raise PydanticCustomError("email", "{reason}", {"reason": str(error)}) from error


Email = Annotated[str, LongText(EMAIL_LENGTH, single_line=True), AfterValidator(_email)]
"""An e-mail address, checked and in lower case."""
NewPassword = Annotated[str, LongText(LONGEST_PASSWORD, SHORTEST_PASSWORD, strip=False)]
"""A password somebody chooses: 8 to 200 characters, blanks included."""


class WithMode(Input):
    """`session_mode` says what the sign-in should give; `issuance_policy` is the same in other words."""

    session_mode: Mode | None = Field(
        None, description="`web` sets a cookie (the default), `api` gives tokens."
    )
    issuance_policy: Literal["session", "tokens"] | None = Field(
        None, description="`session` means `web`, `tokens` means `api`."
    )

    @property
    def mode(self) -> Mode:
        """What was asked for."""
        if self.issuance_policy is not None:
            return "api" if self.issuance_policy == "tokens" else "web"
        return self.session_mode or "web"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.session_mode not in (None, self.mode):
            raise PydanticCustomError(
                "mode", "session_mode and issuance_policy contradict each other; send one of them."
            )
        return self


LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$")]
"""A language as BCP 47 writes it, such as `en` or `pt-BR`."""


class SignUp(WithMode):
    """A new account."""

    email: Email
    password: NewPassword
    name: Name
    locale: LanguageTag = Field("en", description="The language of the person's surroundings, and of mails.")


class SignIn(WithMode):
    """An e-mail address and its password."""

    email: Annotated[str, LongText(EMAIL_LENGTH, single_line=True)]
    password: Annotated[str, LongText(LONGEST_PASSWORD, strip=False)]


class Refresh(Input):
    """A refresh token, to be exchanged once."""

    refresh_token: str = Field(min_length=1, max_length=200)


class UserView(BaseModel):
    """A person, as told to that person."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    name: str
    email_verified: bool
    locale: str
    profile: dict[str, str]

    @classmethod
    def of(cls, account: Account) -> Self:
        """The account without what only the server needs."""
        return cls(
            id=account.id,
            email=account.email,
            name=account.name,
            email_verified=account.email_verified,
            locale=account.locale,
            profile=account.profile,
        )


class TokenPair(BaseModel):
    """An access token, and the refresh token that gets the next pair."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="Seconds that the access token is good for.")

    @classmethod
    def of(cls, opened: Opened) -> Self:
        """The tokens of a session of mode `api`."""
        return cls(
            access_token=opened.token, refresh_token=opened.refresh_token or "", expires_in=opened.expires_in
        )


class WebSignIn(BaseModel):
    """The token is in the cookie; this says whose it is."""

    user: UserView
    expires_in: int = Field(description="Seconds that the cookie is good for.")


# --- One's own account -------------------------------------------------------------------------------------------

CurrentPassword = Annotated[str, LongText(LONGEST_PASSWORD, strip=False)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
"""What stands in a mailed link."""
Fact = Annotated[str, LongText(500)]
MOST_FACTS = 20
_FACT_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NOT_FACTS = frozenset({"name", "email", "role", "organization", "locale", "site_admin"})
"""What the server knows itself; an assistant must not be told otherwise."""


class PasswordChange(Input):
    """The password as it is, and as it is to be."""

    current_password: CurrentPassword
    new_password: NewPassword


class Deletion(Input):
    """The password once more; an account without one is asked for a fresh sign-in instead."""

    password: CurrentPassword | None = None


class Forgotten(Input):
    """The address of an account whose password was forgotten."""

    email: Annotated[str, LongText(EMAIL_LENGTH, single_line=True)]


class Accepted(BaseModel):
    """It will be done; what comes of it is told by mail, and to nobody else."""

    accepted: Literal[True] = True


class PasswordReset(Input):
    """What stood in the mailed link, and the new password."""

    token: Token
    password: NewPassword


class OpenedLink(Input):
    """What stood in the mailed link."""

    token: Token


class EmailChange(Input):
    """The address to have from now on, and the password, so that an open screen is not enough."""

    email: Email
    password: CurrentPassword


class ProfileChange(BaseModel):
    """Facts about the person that assistants may take into account. Null removes one; others stay as they are.

    Besides the known ones there may be others: a name of small letters, digits and underscores with a short text.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Fact | None]  # pyright: ignore[reportIncompatibleVariableOverride]

    software_background: Fact | None = Field(None, description="What the person has programmed, and in what.")
    hardware_background: Fact | None = Field(None, description="What the person has built or wired.")
    hardware_tier: (
        Literal["none", "laptop", "gpu_workstation", "cloud", "microcontroller", "jetson", "robot"] | None
    ) = Field(None, description="The most capable machine at hand.")
    experience_level: Literal["beginner", "intermediate", "advanced", "expert"] | None = None
    learning_goals: Annotated[str, LongText(1000)] | None = None
    preferred_language: LanguageTag | None = Field(None, description="The language to be answered in.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for key in self.model_extra or {}:
            if key in _NOT_FACTS or not _FACT_KEY.fullmatch(key):
                raise PydanticCustomError(
                    "fact",
                    "{key} can be no fact of a profile: use small letters, digits and underscores, at most 40, and"
                    " none of the account's own fields.",
                    {"key": repr(key[:60])},
                )
        if len(self.model_extra or {}) > MOST_FACTS:
            raise PydanticCustomError("facts", "A profile has at most 20 facts.")
        return self

    def facts(self) -> dict[str, str | None]:
        """The facts that were sent."""
        return {key: value for key, value in self if key in self.model_fields_set}


class AccountChange(Change):
    """What of one's own account is to be different."""

    name: Name | None = None
    locale: LanguageTag | None = Field(
        None, description="The language of the person's surroundings, and of mails."
    )
    profile: ProfileChange | None = None


class SessionOut(BaseModel):
    """A place where the person is signed in."""

    id: str
    method: str
    created_at: datetime
    used_at: datetime | None = Field(description="When it was last used, to some minutes.")
    address: str | None
    user_agent: str | None
    current: bool = Field(description="Whether it is the one that asks.")


class SessionPage(BaseModel):
    """The person's sessions, the newest first."""

    items: list[SessionOut]
    next: str | None


# --- What site admins see ----------------------------------------------------------------------------------------


class AccountOut(BaseModel):
    """An account, as told to site admins and its owner."""

    id: str
    email: str
    name: str
    locale: str
    site_admin: bool
    suspended: bool
    email_verified: bool
    created_at: datetime


class AccountPage(BaseModel):
    """Accounts in the order that was asked for."""

    items: list[AccountOut]
    next: str | None


class MailRef(BaseModel):
    """A mail of the outbox, without what is in it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    recipient: str
    subject: str
    kind: str
    language: str
    state: MailState
    error: str | None
    created_at: datetime
    sent_at: datetime | None


class MailOut(MailRef):
    """A mail with what is in it: nothing, once it is sent or its link has run out."""

    body: str


class MailPage(BaseModel):
    """Mails, the newest first."""

    items: list[MailRef]
    next: str | None
