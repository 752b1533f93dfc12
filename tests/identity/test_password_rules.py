"""What a password may not be: short, common where it matters, or oneself."""

import pytest
from httpx2 import AsyncClient

from famulus.doors.rest import IDENTITY
from famulus.identity.gate import Gate
from famulus.identity.password_rules import COMMON, objection
from famulus.kernel.database import Database
from famulus.kernel.errors import Invalid
from tests.support.rooms import serving

ADA = {"email": "ada.lovelace@famulus.local", "name": "Ada Lovelace"}


def test_the_list_is_long_and_of_what_is_long_enough() -> None:
    words = COMMON.read_text("utf-8").split()
    assert len(set(words)) >= 300
    assert all(len(word) >= 8 for word in words)


@pytest.mark.parametrize("password", ["password123", "PassWord123", "qwertyuiop", "ＰＡＳＳＷＯＲＤ123"])
def test_the_commonest_are_refused_but_on_ones_own_machine(password: str) -> None:
    assert objection(password, **ADA, strict=True) is not None
    assert objection(password, **ADA, strict=False) is None


@pytest.mark.parametrize(
    "password", ["ada.lovelace@famulus.local", "Ada.Lovelace", "ADA LOVELACE", " ada lovelace "]
)
def test_oneself_is_refused_everywhere(password: str) -> None:
    assert objection(password, **ADA, strict=False) is not None


def test_others_may_be_chosen() -> None:
    assert objection("correct horse battery", **ADA, strict=True) is None
    assert objection("password123 and more", **ADA, strict=True) is None


def test_the_gate_names_the_field() -> None:
    gate = Gate(strict=True)
    try:
        with pytest.raises(Invalid) as refused:
            gate.require_good("password123", **ADA, where="new_password")
    finally:
        gate.close()
    assert [field.path for field in refused.value.fields] == ["new_password"]


async def test_it_is_a_422_at_the_door(database: Database) -> None:
    async with serving(database, *IDENTITY) as client:
        answer = await sign_up(client, "ada.lovelace")
        assert answer == (422, ["password"])
        assert (await sign_up(client, "a" * 7))[0] == 422
        assert (await sign_up(client, "correct horse battery"))[0] == 201


async def sign_up(client: AsyncClient, password: str) -> tuple[int, list[str]]:
    answer = await client.post("/api/auth/signup", json={**ADA, "password": password})
    return answer.status_code, [field["path"] for field in answer.json().get("fields", [])]
