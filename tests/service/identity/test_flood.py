"""Many logins, wrong ones above all: what they can make the service compute, keep or wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from ecl.server.http.errors import TooBusy, TooManyFailures
from ecl.server.identity.local import application_credentials, directory, tokens
from ecl.server.identity.local.failures import FREE_FAILURES, LONGEST_WAIT, MAX_ENTRIES, Failures
from ecl.server.identity.local.login_queue import MAX_WAITING, MAX_WAITING_OF_SOURCE, LoginQueue
from ecl.server.identity.local.passwords import hash_password
from ecl.testing import ImageService
from support.identity import Identity

# --- failures -----------------------------------------------------------------------------------------------


class Clock:
    """A clock that stands until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def _fails(failures: Failures, user: str, source: str, times: int) -> None:
    for _ in range(times):
        failures.failed(user, source)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_wait_begins_after_the_free_failures_and_doubles(index: int) -> None:
    """For a user at an address, an address, a user: some failures are free, then waits of 1, 2, 4 … 60 seconds."""
    clock = Clock()
    failures = Failures(clock)
    for number in range(FREE_FAILURES[index]):
        failures.check("u", "s")
        failures.failed("u" if index != 1 else f"u{number}", "s" if index != 2 else f"s{number}")
    failures.check("u", "s")
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        failures.failed("u" if index != 1 else "v", "s" if index != 2 else "t")
        with pytest.raises(TooManyFailures) as refused:
            failures.check("u", "s")
        assert refused.value.headers["Retry-After"] == str(wait + 1)
        clock.now += wait
        if index == 0:
            failures.check("u", "s")
    assert wait == LONGEST_WAIT


def test_a_known_user_waits_for_own_failures_only() -> None:
    """What others do from the same address, or to the same user elsewhere, does not stop who has logged in before."""
    failures = Failures(Clock())
    failures.succeeded("honest", "s")
    _fails(failures, "other", "s", 1000)
    for number in range(1000):
        failures.failed("honest", f"far-{number}")
    failures.check("honest", "s")
    _fails(failures, "honest", "s", FREE_FAILURES[0] + 1)
    with pytest.raises(TooManyFailures):
        failures.check("honest", "s")


def test_the_tables_are_bounded() -> None:
    """However many users and addresses an attacker makes up, the oldest entries go."""
    failures = Failures(Clock())
    _fails(failures, "first", "s", FREE_FAILURES[0] + 1)
    for number in range(MAX_ENTRIES):
        failures.failed(f"u{number}", f"s{number}")

    failures.check("first", "t")
    assert len(failures._entries) <= MAX_ENTRIES


# --- the queue ----------------------------------------------------------------------------------------------


async def _stays() -> Any:
    await asyncio.Event().wait()


async def _leaves() -> Any:
    return {"type": "http.disconnect"}


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _queue_scenario(scenario: Callable[[LoginQueue, threading.Event, list[str]], Any]) -> list[str]:
    """Run *scenario* with a queue whose only worker is busy until the event; return what was computed, in order."""
    done: list[str] = []

    async def run() -> None:
        release = threading.Event()
        queue = LoginQueue(1)
        first = asyncio.ensure_future(queue.run(release.wait, _stays, "first", is_known=False))
        await _settle()
        try:
            rest = await scenario(queue, release, done)
        finally:
            release.set()
        await asyncio.gather(first, *rest)

    asyncio.run(run())
    return done


def test_known_clients_go_first() -> None:
    """A client that has logged in before does not wait for a flood of others."""

    async def scenario(queue: LoginQueue, release: threading.Event, done: list[str]) -> Any:
        rest = []
        for number in range(3):
            rest.append(
                asyncio.ensure_future(queue.run(lambda: done.append("flood"), _stays, f"{number}", is_known=False))
            )
        await _settle()
        rest.append(asyncio.ensure_future(queue.run(lambda: done.append("honest"), _stays, "0", is_known=True)))
        await _settle()
        return rest

    assert _queue_scenario(scenario) == ["honest", "flood", "flood", "flood"]


@pytest.mark.parametrize(
    ("is_known", "sources", "most"),
    [(False, 1, MAX_WAITING_OF_SOURCE), (False, 1000, MAX_WAITING), (True, 1, MAX_WAITING)],
)
def test_the_queue_is_bounded(is_known: bool, sources: int, most: int) -> None:
    """So many wait, and the next one is refused with 503 and Retry-After."""

    async def scenario(queue: LoginQueue, release: threading.Event, done: list[str]) -> Any:
        rest = [
            asyncio.ensure_future(queue.run(lambda: done.append("x"), _stays, f"{number % sources}", is_known=is_known))
            for number in range(most)
        ]
        await _settle()
        with pytest.raises(TooBusy) as refused:
            await queue.run(lambda: done.append("too many"), _stays, "0", is_known=is_known)
        assert "Retry-After" in refused.value.headers
        return rest

    assert _queue_scenario(scenario) == ["x"] * most


def test_work_of_a_client_that_has_gone_is_dropped() -> None:
    """It is never computed, and its place in the queue is free again."""

    async def scenario(queue: LoginQueue, release: threading.Event, done: list[str]) -> Any:
        for _ in range(2 * MAX_WAITING):
            with pytest.raises(ClientDisconnect):
                await queue.run(lambda: done.append("gone"), _leaves, "s", is_known=False)
        return [asyncio.ensure_future(queue.run(lambda: done.append("here"), _stays, "s", is_known=False))]

    assert _queue_scenario(scenario) == ["here"]


# --- over HTTP ----------------------------------------------------------------------------------------------


def test_a_flood_of_wrong_passwords(identity: Any) -> None:
    """Most of it is refused without work, with Retry-After; a user who has logged in before still does."""
    with ImageService(("jp1",)) as service:
        # Other tests do not have to wait for the failures of this one.
        flooded = type(identity)(service)
        assert flooded.login(flooded.password(), "unscoped").status_code == 201
        nobody = {"name": "x", "domain": {"id": "default"}, "password": "y"}
        wrong = {"methods": ["password"], "password": {"user": nobody}}
        with ThreadPoolExecutor(16) as pool:
            flood = [pool.submit(flooded.login, wrong) for _ in range(100)]
            assert flooded.login(flooded.password(), "unscoped").status_code == 201
            answers = [one.result() for one in flood]
        refused = [answer for answer in answers if answer.status_code in (429, 503)]
        assert {answer.status_code for answer in answers} <= {401, 429, 503}
        # The free ones, and those that were on their way when they had been used up.
        assert len(refused) >= 100 - FREE_FAILURES[0] - 16
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        flooded.http.close()


def test_an_old_hash_is_replaced_at_login() -> None:
    """A hash of less cost than the settings say is upgraded by a right password, and by that only."""
    with ImageService(("jp1",), password_cost=15) as service:
        project = service.add_project()

        def stored() -> str:
            with service.database.read() as connection:
                return directory.password_hash(connection, directory.find_user(connection, project.username))

        with service.database.write() as connection:
            user = directory.find_user(connection, project.username)
            directory.set_password(connection, user, project.password, cost=14)
        assert stored().startswith("scrypt$16384$")
        service.connect(project=project).session.get_token()
        assert stored().startswith("scrypt$32768$")
        assert service.connect(project=project).session.get_token()


def test_an_old_hash_of_a_secret_is_replaced_at_use() -> None:
    """The hash of a credential's secret is upgraded in the same way, and the secret still works."""
    with ImageService(("jp1",), password_cost=15) as service:
        project = service.add_project()
        with service.database.write() as connection:
            user = directory.find_user(connection, project.username)
            made = application_credentials.create_credential(
                connection, user.id, project.id, "old", hash_password("right", 14), None, ("member", "reader")
            )

        def stored() -> str:
            with service.database.read() as connection:
                found = application_credentials.get_credential(connection, id=made.id)
                assert found is not None
                return found.secret_hash

        def use(secret: str) -> int:
            credential = {"id": made.id, "secret": secret}
            identity = {"methods": ["application_credential"], "application_credential": credential}
            return client.login(identity).status_code

        client = Identity(service)
        assert use("wrong") == 401
        assert stored().startswith("scrypt$16384$")
        assert use("right") == 201
        assert stored().startswith("scrypt$32768$")
        assert use("right") == 201
        client.http.close()


# --- tokens and credentials ---------------------------------------------------------------------------------


def test_tokens_of_a_user_are_bounded(identity: Any, add_user: Callable[..., Any]) -> None:
    """The oldest one ends when there are too many; tokens of a credential do not push out the user's own."""
    owner = add_user("jp1")
    database = identity.service.database
    with database.write() as connection:
        user = directory.find_user(connection, owner.username)
        credential = application_credentials.create_credential(
            connection, user.id, owner.id, "c", hash_password("x", 14), None, ("reader",)
        )
        issue = {"methods": ["password"], "expires_at": 2**62}
        own = tokens.issue_token(connection, user, None, **issue)
        made = [
            tokens.issue_token(connection, user, None, **issue, application_credential_id=credential.id)
            for _ in range(tokens.MAX_TOKENS + 1)
        ]
    with database.read() as connection:
        valid = [tokens.read_token(connection, text) is not None for text in made]
        assert valid == [False] + [True] * tokens.MAX_TOKENS
        assert tokens.read_token(connection, own) is not None


def _with_credential(identity: Any, owner: Any) -> tuple[str, str]:
    """Return a token of the user *owner*, and one of a new credential."""
    person = {"name": owner.username, "domain": {"id": "default"}, "password": owner.password}
    login = identity.login({"methods": ["password"], "password": {"user": person}}, {"project": {"id": owner.id}})
    token = login.headers["X-Subject-Token"]
    user_id = login.json()["token"]["user"]["id"]
    path = f"/v3/users/{user_id}/application_credentials"
    made = identity.call("POST", path, token, json={"application_credential": {"name": "one"}}).json()
    proof = {name: made["application_credential"][name] for name in ("id", "secret")}
    answer = identity.login({"methods": ["application_credential"], "application_credential": proof})
    assert answer.status_code == 201, answer.text
    return token, answer.headers["X-Subject-Token"]


def test_a_credential_gains_no_roles(identity: Any, add_user: Callable[..., Any]) -> None:
    """What the user is granted later is not for the credential; what the user loses, it loses, too."""
    owner = add_user("jp1")
    _, restricted = _with_credential(identity, owner)
    with identity.service.database.write() as connection:
        user, project = directory.find_user(connection, owner.username), directory.find_project(connection, owner.id)
        directory.grant_role(connection, user, "admin", project)

    def roles() -> list[str]:
        shown = identity.call("GET", "/v3/auth/tokens", restricted, restricted).json()
        return [role["name"] for role in shown["token"]["roles"]]

    assert roles() == ["member", "reader"]
    with identity.service.database.write() as connection:
        directory.revoke_role(connection, user, "admin", project)
        directory.revoke_role(connection, user, "member", project)
        directory.grant_role(connection, user, "reader", project)
    assert roles() == ["reader"]


def test_a_credential_revokes_only_its_own_tokens(identity: Any, add_user: Callable[..., Any]) -> None:
    """The user's other tokens are not in its reach."""
    own, restricted = _with_credential(identity, add_user("jp1"))

    assert identity.call("DELETE", "/v3/auth/tokens", restricted, own).status_code == 403
    assert identity.call("DELETE", "/v3/auth/tokens", restricted, restricted).status_code == 204
    assert identity.call("GET", "/v3/auth/tokens", own, own).status_code == 200


def test_the_role_service_reads_tokens_and_revokes_its_own(identity: Any, add_user: Callable[..., Any]) -> None:
    """A service checks its clients' tokens; ending them is for administrators."""
    owner, other = add_user("jp1"), identity.token()
    with identity.service.database.write() as connection:
        user, project = directory.find_user(connection, owner.username), directory.find_project(connection, owner.id)
        directory.grant_role(connection, user, "service", project)
    token, _ = _with_credential(identity, owner)

    assert identity.call("GET", "/v3/auth/tokens", token, other).status_code == 200
    assert identity.call("DELETE", "/v3/auth/tokens", token, other).status_code == 403
    assert identity.call("DELETE", "/v3/auth/tokens", token, token).status_code == 204


def test_credentials_have_a_cap(identity: Any, add_user: Callable[..., Any]) -> None:
    """A user has so many, and no more."""
    owner = add_user("jp1")
    token, _ = _with_credential(identity, owner)
    with identity.service.database.write() as connection:
        user = directory.find_user(connection, owner.username)
        for number in range(application_credentials.MAX_CREDENTIALS - 1):
            application_credentials.create_credential(connection, user.id, owner.id, f"{number}", "!", None, ())
    path = f"/v3/users/{user.id}/application_credentials"
    refused = identity.call("POST", path, token, json={"application_credential": {"name": "more"}})
    assert refused.status_code == 403
    assert "at most 100" in refused.json()["error"]["message"]
