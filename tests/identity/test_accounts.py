"""E-mail addresses: one form of each, and the special-use names of private networks are welcome."""

import asyncio

import pytest

from famulus.identity.accounts import EmailTaken, create_account, find_by_email, normal_email
from famulus.kernel.database import Database


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" Ada@Famulus.LOCAL ", "ada@famulus.local"),
        ("ada@mail.school.test", "ada@mail.school.test"),
        ("Ada+ros@Example.org", "ada+ros@example.org"),
        ("a\u0308da@M\u00fcnchen.de", "äda@münchen.de"),
    ],
)
def test_an_address_has_one_form(written: str, kept: str) -> None:
    assert normal_email(written) == kept


@pytest.mark.parametrize(
    "written", ["", "ada", "famulus.local", "@famulus.local", "a b@famulus.local", "a@.local"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        normal_email(written)


async def test_of_two_at_the_same_moment_one_gets_the_address(database: Database) -> None:
    async def create(name: str) -> None:
        async with database.write() as session:
            await create_account(session, email="ada@x.local", name=name, password_hash=None)

    results = await asyncio.gather(*(create(str(n)) for n in range(4)), return_exceptions=True)

    assert sum(isinstance(result, EmailTaken) for result in results) == 3
    async with database.read() as session:
        found = await find_by_email(session, "ADA@x.local")
    assert found is not None
