"""What identity's routes take and give."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from famulus.identity.accounts import EMAIL_LENGTH, Account, normal_email
from famulus.identity.sessions import Mode, Opened
from famulus.kernel.text import Input, LongText, Name

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


class SignUp(WithMode):
    """A new account."""

    email: Email
    password: NewPassword
    name: Name


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
    locale: str
    profile: dict[str, str]

    @classmethod
    def of(cls, account: Account) -> Self:
        """The account without what only the server needs."""
        return cls(
            id=account.id,
            email=account.email,
            name=account.name,
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
