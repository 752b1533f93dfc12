"""Signing in through a provider, over HTTP. It belongs here because whoever comes may be given a place to belong."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from famulus.campus.arrivals import arrive
from famulus.campus.schemas.outside import ProviderList, ProviderOut
from famulus.identity import refusals
from famulus.identity.credentials import cookie_name
from famulus.identity.deps import PUBLIC, DatabaseDep, SettingsDep, hand_over
from famulus.identity.foreign import Refused
from famulus.identity.foreigners import AddressTaken, ForeignRefused
from famulus.identity.oidc import LIFE, Providers, Returned, SignInFailed, base_url, callback_path
from famulus.identity.refusals import Refusal
from famulus.identity.sessions import Opened, choose_organization, open_session
from famulus.identity.sign_in import Suspended
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.settings import Settings

router = APIRouter(prefix="/api/auth/oidc", tags=["auth"])


async def _providers(request: Request) -> Providers:
    return cast(Providers, request.app.state.providers)


ProvidersDep = Annotated[Providers, Depends(_providers)]
ProviderPath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Word = Annotated[str | None, Query(max_length=4000)]
Next = Annotated[str, Query(max_length=2000, description="The page to come back to: a path on this server.")]


@router.get("", openapi_extra=PUBLIC)
async def list_providers(providers: ProvidersDep) -> ProviderList:
    """The identity providers that people can sign in through."""
    return ProviderList(items=[ProviderOut(id=each.id, name=each.name) for each in providers.listed()])


@router.get("/{provider}/start", status_code=302, response_class=RedirectResponse, openapi_extra=PUBLIC)
async def start_sign_in(
    provider: ProviderPath,
    *,
    request: Request,
    providers: ProvidersDep,
    settings: SettingsDep,
    next: Next = "/",
) -> Response:
    """Send the browser to a provider. For links and buttons: what goes wrong comes back as `/?error=CODE`."""
    try:
        begun = await providers.begin(provider, back=_back(provider, request, settings), next=next)
    except FamulusError as error:
        return _failed(error, settings)
    response = _redirect(begun.url)
    response.set_cookie(
        _state_cookie(settings),
        begun.cookie,
        max_age=LIFE,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/{provider}/callback", status_code=302, response_class=RedirectResponse, openapi_extra=PUBLIC)
async def finish_sign_in(
    provider: ProviderPath,
    *,
    request: Request,
    providers: ProvidersDep,
    settings: SettingsDep,
    database: DatabaseDep,
    code: Word = None,
    state: Word = None,
    error: Word = None,
    iss: Word = None,
) -> Response:
    """Where a provider sends the browser back to: signed in, to the page that was wanted, or to `/?error=CODE`."""
    query = {"code": code, "state": state, "error": error, "iss": iss}
    cookie = request.cookies.get(_state_cookie(settings))
    returned = None
    try:
        back = _back(provider, request, settings)
        returned = await providers.finish(provider, back=back, query=query, cookie=cookie)
        opened = await _open(database, returned)
    except (SignInFailed, ForeignRefused, AddressTaken, Suspended) as problem:
        await refusals.note(database, _refusal(provider, returned, problem))
        return _failed(problem, settings)
    except FamulusError as problem:
        return _failed(problem, settings)
    response = _redirect(returned.next)
    _forget_state(response, settings)
    hand_over(opened, response, settings)
    return response


async def _open(database: Database, returned: Returned) -> Opened:
    arrival = await arrive(database, returned.issuer, returned.claimed)
    async with database.write() as session:
        opened = await open_session(session, arrival.account, "web", method="oidc")
        await choose_organization(session, opened.session_id, arrival.organization_id)
    return opened


def _refusal(provider: str, returned: Returned | None, problem: FamulusError) -> Refusal:
    """What the audit keeps of a sign-in that came to nothing; who it was where the provider has said so."""
    cause = problem.__cause__
    why = f"{problem.code}: {cause}" if isinstance(cause, Refused) else problem.code
    who = returned and returned.claimed
    return Refusal("sign-in", why, who.issuer if who else provider, who and who.subject)


def _back(provider: str, request: Request, settings: Settings) -> str:
    host = request.headers.get("host", "")
    return base_url(settings.public_url, request.scope["scheme"], host) + callback_path(provider)


def _redirect(url: str) -> Response:
    return RedirectResponse(url, 302, {"Cache-Control": "no-store"})


def _failed(error: FamulusError, settings: Settings) -> Response:
    """Back to the sign-in page, which has the words for it."""
    response = _redirect(f"/?error={error.code}")
    _forget_state(response, settings)
    return response


def _state_cookie(settings: Settings) -> str:
    return f"{cookie_name(settings).removesuffix('_session')}_oidc"


def _forget_state(response: Response, settings: Settings) -> None:
    response.delete_cookie(
        _state_cookie(settings), path="/", secure=settings.https, httponly=True, samesite="lax"
    )
