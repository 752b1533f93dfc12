"""Commands about accounts. What they do is written down with no actor: it was the operator."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.deletion import delete_account
from famulus.cli.work import with_database
from famulus.identity import administration, audit
from famulus.identity.accounts import Account, create_account, find_by_email
from famulus.identity.gate import Gate
from famulus.identity.own_account import replace_password
from famulus.identity.schemas import AccountOut, NewPassword, SignUp
from famulus.kernel.database import Database
from famulus.kernel.errors import FieldProblem, Invalid, NotFound
from famulus.kernel.paging import MAX_LIMIT, Paging
from famulus.kernel.settings import load_settings

T = TypeVar("T")


def run_create(email: str, name: str, password: str, site_admin: bool) -> str:
    """Create an account; returns what was done. Raises Invalid, as signing up does, or EmailTaken."""
    new = _checked(
        lambda: SignUp(
            email=email, name=name, password=password, locale="en", session_mode=None, issuance_policy=None
        )
    )

    async def work(database: Database) -> str:
        hashed = await _hashed(new.password, email=new.email, name=new.name)
        async with database.write() as session:
            account = await create_account(
                session,
                email=new.email,
                name=new.name,
                password_hash=hashed,
                site_admin=site_admin,
                verified=True,
            )
            after = {"site_admin": site_admin}
            audit.record(session, None, "account.create", audit.of_account(account), after=after)
        return account.email

    return f"{with_database(work)} can sign in now."


def run_list(begins: str | None) -> list[str]:
    """A line for each account, by name."""

    async def work(database: Database) -> list[str]:
        lines: list[str] = []
        after: str | None = None
        async with database.read() as session:
            while True:
                paging = Paging(MAX_LIMIT, after)
                found = await administration.list_accounts(session, paging, q=begins)
                lines += map(_line, found.items)
                after = found.next
                if after is None:
                    return lines

    return with_database(work)


def run_suspend(email: str) -> str:
    """Shut an account out; returns what was done. Raises NotFound or LastSiteAdmin."""
    _with_account(email, lambda session, account: administration.suspend(session, None, account.id))
    return f"{email} is suspended; every session has ended."


def run_restore(email: str) -> str:
    """Let an account in again; returns what was done. Raises NotFound."""
    _with_account(email, lambda session, account: administration.restore(session, None, account.id))
    return f"{email} can sign in again."


def run_delete(email: str) -> str:
    """Delete an account with all that is the person's; returns what was done. Raises NotFound or the last admin's."""
    _with_account(email, lambda session, account: delete_account(session, None, account.id))
    return f"{email} is deleted, with everything that was said in this account."


def run_password(email: str, password: str) -> str:
    """Set a password; returns what was done. Raises Invalid or NotFound."""
    good = _checked(lambda: TypeAdapter[str](NewPassword).validate_python(password))

    async def work(database: Database) -> None:
        async with database.read() as session:
            account = await _find(session, email)
        hashed = await _hashed(good, email=account.email, name=account.name)
        async with database.write() as session:
            await replace_password(session, None, account, hashed)

    with_database(work)
    return f"{email} has a new password; every session has ended."


def run_site_admin(email: str, revoke: bool) -> str:
    """Have an account administer the site, or no longer; returns what was done. Raises NotFound or LastSiteAdmin."""
    _with_account(
        email, lambda session, account: administration.set_site_admin(session, None, account.id, not revoke)
    )
    return f"{email} no longer administers the site." if revoke else f"{email} administers the site."


def _with_account(email: str, change: Callable[[AsyncSession, Account], Awaitable[T]]) -> T:
    async def work(database: Database) -> T:
        async with database.write() as session:
            return await change(session, await _find(session, email))

    return with_database(work)


async def _find(session: AsyncSession, email: str) -> Account:
    account = await find_by_email(session, email)
    if account is None:
        raise NotFound(f"There is no account {email!r}. `famulus user list` shows those that there are.")
    return account


async def _hashed(password: str, *, email: str, name: str) -> str:
    gate = Gate(strict=not load_settings().local)
    try:
        return await gate.new_hash(password, email=email, name=name)
    finally:
        gate.close()


def _line(account: AccountOut) -> str:
    remarks = {
        "site admin": account.site_admin,
        "suspended": account.suspended,
        "not verified": not account.email_verified,
    }
    said = ", ".join(remark for remark, holds in remarks.items() if holds)
    return f"{account.email:40} {account.name:30} {said}".rstrip()


def _checked(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValidationError as error:
        problems = tuple(
            FieldProblem(str(item["loc"][0]) if item["loc"] else "password", item["msg"])
            for item in error.errors()
        )
        raise Invalid("There can be no such account.", fields=problems) from error
