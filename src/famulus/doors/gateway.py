"""A gateway in front that has signed people in already and names them in `X-User-ID`.

It is believed only where the operator has said so, and only when it is the gateway: by its address, by its secret, or
by both where both are set. From anybody else the headers mean nothing, and nothing tells that they might.
"""

import hmac
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.accounts import Account, find_account, find_by_email, normal_email
from famulus.identity.credentials import SAFE_METHODS, require_same_origin
from famulus.identity.foreign import Claimed
from famulus.kernel.errors import Unauthenticated
from famulus.kernel.issuers import OurRole, TrustedIssuer
from famulus.kernel.proxies import Proxies
from famulus.kernel.settings import Settings
from famulus.kernel.text import clean_text

GATEWAY = "gateway"
LONGEST = 300
ROLES: tuple[OurRole, ...] = ("organization_admin", "teacher", "student")


class Gateway:
    """Reads the headers of a gateway."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = settings.proxy_names
        self._by_address = bool(settings.trusted_proxies)
        self._proxies = Proxies(settings.trusted_proxies)
        self._secret = settings.proxy_secret.get_secret_value() if settings.proxy_secret else None
        self.issuer = None
        """What is believed of people it names for the first time; None: nobody new is let in."""
        if self._names == "provisioned":
            # It stands where sign-in itself would, so an address that it gives is the person's.
            self.issuer = TrustedIssuer.model_construct(
                issuer=GATEWAY, organizations="id", link_by_email=True, default_role="student"
            )

    def named(self, headers: Mapping[str, str], method: str, peer: str | None) -> Claimed | None:
        """Whom it names; None where nobody is named, or not by the gateway.

        Raises Unauthenticated for nonsense, and for two names, one of which the client may have sent; CrossOrigin where
        another site made the browser send it, for the gateway knows people by a cookie.
        """
        who = headers.get("x-user-id")
        if self._names == "ignored" or who is None or not self._is_gateway(headers, peer):
            return None
        subject = _line(who)
        if subject is None or sum(name.lower() == "x-user-id" for name in headers) > 1:
            raise Unauthenticated()
        if method.upper() not in SAFE_METHODS:
            require_same_origin(headers, self._settings)
        email = _email(headers.get("x-user-email") or subject)
        role = headers.get("x-user-role")
        return Claimed(
            issuer=GATEWAY,
            subject=subject,
            email=email,
            email_verified=email is not None,
            name=_line(headers.get("x-user-name")),
            organization=_line(headers.get("x-org-id")),
            role=next((each for each in ROLES if each == role), None) or "student",
        )

    async def known(self, session: AsyncSession, named: Claimed) -> Account | None:
        """The account with this id, or without provisioning this address; raises Unauthenticated for a closed one.

        By an address only whoever has shown that it is theirs: anybody can sign up with anybody's.
        """
        account = await find_account(session, named.subject)
        if account is None and self.issuer is None:
            account = await find_by_email(session, named.subject)
            if account is not None and not account.email_verified:
                raise Unauthenticated()
        if account is not None and (account.suspended or account.service):
            raise Unauthenticated()
        return account

    def _is_gateway(self, headers: Mapping[str, str], peer: str | None) -> bool:
        if self._secret is not None:
            given = headers.get("x-proxy-secret", "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, self._secret.encode()):
                return False
        return not self._by_address or self._proxies.trusts(peer)


def _line(value: str | None) -> str | None:
    try:
        return value and clean_text(value, LONGEST, single_line=True)
    except ValueError:
        return None


def _email(value: str) -> str | None:
    try:
        return normal_email(value)
    except ValueError:
        return None
