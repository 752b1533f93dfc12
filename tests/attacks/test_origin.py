"""S09: nobody is somebody else by saying so, neither to slip out of a brake nor to put somebody else into it."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from httpx2 import Client, Response

from tests.support.problems import assert_problem
from tests.support.serving import Served, forgetting, furnished

Servers = dict[str, Served]

WRONG = {"password": "wrong password", "session_mode": "web"}
VICTIM = "203.0.113.9"


PROXIES = {"no proxy": (), "a proxy elsewhere": ("192.0.2.0/24",), "here": ("127.0.0.0/8", "::1")}


@pytest.fixture(scope="module")
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """By what they take for a proxy; only the last takes these tests for one."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                furnished("sqlite", tmp_path_factory.mktemp("origin"), request, trusted_proxies=proxies)
            )
            for name, proxies in PROXIES.items()
        }


@pytest.fixture(params=["no proxy", "a proxy elsewhere"])
def direct(request: pytest.FixtureRequest, servers: Servers) -> Served:
    """A server to which these tests are no proxy, with no failure counted yet."""
    return forgetting(servers[str(request.param)])


@pytest.fixture
def behind(servers: Servers) -> Served:
    """A server to which these tests are the proxy in front, with no failure counted yet."""
    return forgetting(servers["here"])


_numbers = itertools.count()


def guess(client: Client, **headers: str) -> Response:
    """One wrong password for an account that there is not, so that only the address counts."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    email = f"nobody{next(_numbers)}@famulus.local"
    return client.post("/api/auth/login", json={**WRONG, "email": email}, headers=names)


SAYINGS = (
    lambda n: {"X_Forwarded_For": f"8.8.{n}.8"},
    lambda n: {"Forwarded": f"for=8.8.{n}.8"},
    lambda n: {"X_Real_IP": f"8.8.{n}.8"},
    lambda n: {"X_Forwarded_For": f"8.8.{n}.8", "Forwarded": f"for=8.8.{n}.8", "X_Real_IP": f"8.8.{n}.8"},
    lambda n: {"X_Client_IP": f"8.8.{n}.8", "True_Client_IP": f"8.8.{n}.8", "CF_Connecting_IP": f"8.8.{n}.8"},
)


@pytest.mark.parametrize("number", range(len(SAYINGS)))
def test_s09_rotation_by_whoever_is_no_proxy(direct: Served, number: int) -> None:
    with direct.client() as client:
        answers = [guess(client, **SAYINGS[number](n)) for n in range(34)]
        assert_problem(answers[0], 401, "wrong_credentials")
        assert_problem(answers[-1], 429, "too_many_failures")


def test_s09_nobody_poisons_somebody_else_s(direct: Served) -> None:
    """The brake that holds is the guesser's own, whatever address they say."""
    with direct.client() as client:
        for _ in range(34):
            guess(client, X_Forwarded_For=VICTIM, X_Real_IP=VICTIM, Forwarded=f"for={VICTIM}")
        assert guess(client).status_code == 429


def test_s09_behind_a_proxy_each_address_has_its_own(behind: Served) -> None:
    with behind.client() as client:
        last = [guess(client, X_Forwarded_For=VICTIM) for _ in range(34)][-1]
        assert_problem(last, 429, "too_many_failures")
        assert_problem(guess(client, X_Forwarded_For="203.0.113.10"), 401, "wrong_credentials")
        assert_problem(guess(client), 401, "wrong_credentials")


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
def test_s09_what_a_client_writes_before_the_proxy_s_word_changes_nothing(
    behind: Served, header: str
) -> None:
    """A proxy appends the address it sees; what stood there before is the client's. Where it writes another header,
    and passes this one on, the two disagree."""
    attacker = "198.51.100.66"
    with behind.client() as client:
        for n in range(34):
            if header == "X_Forwarded_For":
                said = {header: f"{VICTIM}, 8.8.{n}.8, {attacker}"}
            else:
                said = {
                    "X_Forwarded_For": attacker,
                    header: f"for={VICTIM}" if header == "Forwarded" else VICTIM,
                }
            last = guess(client, **said)
        assert_problem(last, 429, "too_many_failures")
        assert_problem(guess(client, X_Forwarded_For=VICTIM), 401, "wrong_credentials")


@pytest.mark.parametrize(
    "odd", ["junk", "", "unknown", "1.2.3.4; DROP TABLE attempts", "1" * 9000, ", , ,", "::::"]
)
def test_s09_odd_lists_count_as_the_proxy_itself(behind: Served, odd: str) -> None:
    with behind.client() as client:
        assert_problem(guess(client, X_Forwarded_For=odd), 401, "wrong_credentials")
        assert_problem(guess(client, Forwarded=odd), 401, "wrong_credentials")
        for _ in range(34):
            last = guess(client, X_Forwarded_For=odd)
        assert_problem(last, 429, "too_many_failures")
