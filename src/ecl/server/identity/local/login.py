"""
Login: check the body of ``POST /v3/auth/tokens`` and issue a token.

Every failed authentication has the same message, so nobody learns which users, projects or credentials exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS, now
from ecl.server.db.engine import Database
from ecl.server.errors import BadRequest, Forbidden, Unauthorized
from ecl.server.identity.local import directory
from ecl.server.identity.local.application_credentials import (
    ApplicationCredential,
    get_credential,
    replace_secret_hash,
)
from ecl.server.identity.local.directory import Project, User
from ecl.server.identity.local.passwords import COST, hash_password, is_weaker, verify_password
from ecl.server.identity.local.tokens import Token, issue_token, purge_tokens, read_token

__all__ = ["DOMAIN_ID", "DOMAIN_NAME", "LoginRequest", "WrongSecret", "log_in", "parse_login"]

#: The domain of all users and projects.
DOMAIN_ID, DOMAIN_NAME = "default", "Default"

#: Most expired tokens that one login removes.
_PURGED = 100
_REFUSED = "The request you have made requires authentication."


class WrongSecret(Unauthorized):
    """The password or secret is wrong, or there is no such user or credential."""

    def __init__(self) -> None:
        super().__init__(_REFUSED)


class _Domain(msgspec.Struct):
    id: str | None = None
    name: str | None = None

    @property
    def is_default(self) -> bool:
        return self.id == DOMAIN_ID if self.id is not None else self.name == DOMAIN_NAME


class _User(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    domain: _Domain | None = None
    password: str | None = None


class _Password(msgspec.Struct):
    user: _User


class _Token(msgspec.Struct):
    id: str


class _Credential(msgspec.Struct):
    secret: str
    id: str | None = None
    name: str | None = None
    user: _User | None = None


class _Identity(msgspec.Struct):
    methods: list[str]
    password: _Password | None = None
    token: _Token | None = None
    application_credential: _Credential | None = None


class _Project(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    domain: _Domain | None = None


class _Scope(msgspec.Struct):
    project: _Project | None = None
    domain: _Domain | None = None
    system: dict[str, Any] | None = None  # Any: its content does not matter, nobody has a role there


class _Auth(msgspec.Struct):
    identity: _Identity
    # The only text is "unscoped".
    scope: _Scope | str | None = None


class LoginRequest(msgspec.Struct):
    """The body of ``POST /v3/auth/tokens``."""

    auth: _Auth

    @property
    def person(self) -> str | None:
        """The user or application credential that has to prove itself, as the client names it; None: no password."""
        identity = self.auth.identity
        credential = identity.application_credential if "application_credential" in identity.methods else None
        if "password" in identity.methods and identity.password is not None:
            return f"user {identity.password.user.id or identity.password.user.name}"
        if credential is None:
            return None
        if credential.id is not None or credential.user is None:
            return f"credential {credential.id}"
        return f"credential {credential.name} of {credential.user.id or credential.user.name}"


def parse_login(body: bytes | bytearray) -> LoginRequest:
    """
    Read the body of a login.

    Raises:
        BadRequest: It is not JSON, or does not have the documented form.
    """
    try:
        request = msgspec.json.decode(body, type=LoginRequest)
    except (ValueError, RecursionError) as exc:
        raise BadRequest(f"The request body is not a login as Keystone v3 defines it: {exc}.") from exc
    _check_methods(request.auth.identity)
    return request


def _check_methods(identity: _Identity) -> None:
    known = ("password", "token", "application_credential")
    if not identity.methods:
        raise BadRequest("auth.identity.methods names no method.")
    for method in identity.methods:
        if method not in known:
            raise BadRequest(f"There is no login method {method[:40]!r}; there are {', '.join(known)}.")
        if getattr(identity, method) is None:
            raise BadRequest(f"auth.identity.methods names {method!r}, but auth.identity.{method} is missing.")
    if identity.password is not None:
        _check_user(identity.password.user)
        if identity.password.user.password is None:
            raise BadRequest("auth.identity.password.user.password is missing.")
    credential = identity.application_credential
    if credential is not None and credential.id is None:
        if credential.name is None or credential.user is None:
            raise BadRequest("An application credential needs an id, or a name and a user.")
        _check_user(credential.user)


def _check_user(user: _User) -> None:
    if user.id is None and (user.name is None or user.domain is None):
        raise BadRequest("A user needs an id, or a name and a domain.")


@dataclass(frozen=True, slots=True)
class _Proof:
    """What one method, or all methods, of a login have proved."""

    user: User
    methods: tuple[str, ...]
    #: The new token expires then at the latest.
    expires_at: int
    credential: ApplicationCredential | None = None


def log_in(database: Database, request: LoginRequest, lifetime: int, cost: int = COST) -> tuple[str, Token]:
    """
    Authenticate *request*, store a new token, and return its text and its content.

    This blocks while it checks a password: call it in a worker thread.

    Args:
        lifetime: Seconds until the token expires. A token made from another one expires with that one at the latest.
        cost: ``password_cost`` of the settings; a weaker hash of the same password or secret is replaced.

    Raises:
        Unauthorized: The login is refused; WrongSecret if the password or secret is wrong.
        Forbidden: A token of an application credential cannot be exchanged for another one.
    """
    proof = _prove(database, request.auth.identity, now() + lifetime * MICROSECONDS, cost)
    with database.write() as connection:
        project = _scope(connection, request.auth.scope, proof)
        text = issue_token(
            connection,
            proof.user,
            project,
            methods=proof.methods,
            expires_at=proof.expires_at,
            application_credential_id=None if proof.credential is None else proof.credential.id,
        )
        # Reading it back checks that the user and project are enabled and the user has a role.
        token = read_token(connection, text)
        if token is None:
            raise Unauthorized(_REFUSED)
        # Last, because nothing is waited for after it: it locks tokens of all users.
        purge_tokens(connection, _PURGED)
    return text, token


# --- authentication --------------------------------------------------------------------------------------------------


def _prove(database: Database, identity: _Identity, expires_at: int, cost: int) -> _Proof:
    """Check every method of the request; all must prove the same user."""
    proofs = []
    for method in dict.fromkeys(identity.methods):
        if method == "password" and identity.password is not None:
            proofs.append(_by_password(database, identity.password.user, expires_at, cost))
        elif method == "token" and identity.token is not None:
            proofs.append(_by_token(database, identity.token.id))
        elif identity.application_credential is not None:
            proofs.append(_by_credential(database, identity.application_credential, expires_at, cost))
    if len({proof.user.id for proof in proofs}) != 1:
        raise Unauthorized(_REFUSED)
    return _Proof(
        proofs[0].user,
        methods=tuple(dict.fromkeys(method for proof in proofs for method in proof.methods)),
        expires_at=min(proof.expires_at for proof in proofs),
        credential=next((proof.credential for proof in proofs if proof.credential is not None), None),
    )


def _by_password(database: Database, wanted: _User, expires_at: int, cost: int) -> _Proof:
    with database.read() as connection:
        user = _find_user(connection, wanted)
        stored = None if user is None else directory.password_hash(connection, user)
    password = wanted.password or ""
    if not verify_password(password, stored, cost) or user is None or stored is None:
        raise WrongSecret
    if is_weaker(stored, cost):
        better = hash_password(password, cost)
        with database.write() as connection:
            directory.replace_hash(connection, user, stored, better)
    return _Proof(user, ("password",), expires_at)


def _by_token(database: Database, text: str) -> _Proof:
    with database.read() as connection:
        token = read_token(connection, text)
    if token is None:
        raise Unauthorized(_REFUSED)
    if token.application_credential is not None:
        # The credential is for one project, so its token must not become one for another project.
        raise Forbidden("A token of an application credential cannot be exchanged for another token.")
    return _Proof(token.user, ("token", *token.methods), token.expires_at)


def _by_credential(database: Database, wanted: _Credential, expires_at: int, cost: int) -> _Proof:
    with database.read() as connection:
        credential = None
        if wanted.id is not None:
            credential = get_credential(connection, id=wanted.id)
        elif wanted.user is not None:
            owner = _find_user(connection, wanted.user)
            if owner is not None:
                credential = get_credential(connection, user_id=owner.id, name=wanted.name)
        user = None if credential is None else directory.get_user(connection, id=credential.user_id)
    stored = None if credential is None or credential.is_expired else credential.secret_hash
    if not verify_password(wanted.secret, stored, cost) or user is None or credential is None:
        raise WrongSecret
    if is_weaker(credential.secret_hash, cost):
        better = hash_password(wanted.secret, cost)
        with database.write() as connection:
            replace_secret_hash(connection, credential, better)
    if credential.expires_at is not None:
        expires_at = min(expires_at, credential.expires_at)
    return _Proof(user, ("application_credential",), expires_at, credential)


def _find_user(connection: Connection, wanted: _User) -> User | None:
    if wanted.id is not None:
        user = directory.get_user(connection, id=wanted.id)
    elif wanted.domain is not None and wanted.domain.is_default:
        user = directory.get_user(connection, name=wanted.name)
    else:
        user = None
    return user if user is not None and user.enabled else None


# --- scope ------------------------------------------------------------------------------------------------


def _scope(connection: Connection, scope: _Scope | str | None, proof: _Proof) -> Project | None:
    """Return the project of the new token, or None for one without a project. Roles are checked later."""
    if proof.credential is not None:
        if scope is not None:
            raise Unauthorized("An application credential has its own project: leave out the scope.")
        return directory.get_project(connection, id=proof.credential.project_id)
    if isinstance(scope, str):
        if scope != "unscoped":
            raise BadRequest("auth.scope is an object, or the word unscoped.")
        return None
    if scope is None:
        return _default_project(connection, proof.user)
    if scope.domain is not None or scope.system is not None:
        raise Unauthorized(f"{_REFUSED} Nobody has a role on a domain or on the system here: name a project.")
    if scope.project is None:
        return None
    project = _find_project(connection, scope.project)
    if project is None:
        raise Unauthorized(_REFUSED)
    return project


def _default_project(connection: Connection, user: User) -> Project | None:
    """Return the project of a login that names none, if the user can use it now, as in Keystone."""
    stored = directory.get_user(connection, id=user.id)
    if stored is None or stored.default_project_id is None:
        return None
    own = directory.projects_of_user(connection, user.id)
    return next((project for project in own if project.id == stored.default_project_id), None)


def _find_project(connection: Connection, wanted: _Project) -> Project | None:
    if wanted.id is not None:
        return directory.get_project(connection, id=wanted.id)
    if wanted.name is None or wanted.domain is None:
        raise BadRequest("auth.scope.project needs an id, or a name and a domain.")
    return directory.get_project(connection, name=wanted.name) if wanted.domain.is_default else None
