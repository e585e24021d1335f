"""The login of a cloud: its authentication type and that type's options."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ecl import _auth
from ecl._config.layers import SETTINGS, without

__all__ = [
    "BESIDE_AUTH",
    "auth_type_of",
    "canonical_options",
    "options_of",
    "other_forms",
    "words_of",
]

_DOMAIN = {"domain_id", "domain_name"}
# A thing by its ID and by its name: Keystone goes by the ID where both are sent.
_FORMS = (
    {"project_id", "project_name", "tenant_id", "tenant_name"},
    {"user_id", "username"},
    {"user_domain_id", "user_domain_name"},
    {"project_domain_id", "project_domain_name"},
    {"application_credential_id", "application_credential_name"},
)
# For these options the one beside "auth" wins over the one in "auth", as in openstacksdk; for all others the latter.
BESIDE_AUTH = {
    "domain_id", "domain_name", "passcode", "project_domain_id", "project_domain_name", "project_id", "project_name",
    "tenant_id", "tenant_name", "token", "auth_token", "user_domain_id", "user_domain_name",
}  # fmt: skip


def auth_type_of(settings: Mapping[str, Any]) -> str:
    """Return the authentication type of a cloud."""
    if "auth_type" in settings and settings["auth_type"] in (None, "", "None"):
        return "none"
    found = str(settings.get("auth_type") or settings.get("auth_plugin") or "password")
    return "admin_token" if found == "token_endpoint" else found


def options_of(auth_type: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in ``auth``, and those beside it that the type knows."""
    inside: dict[str, Any] = dict(settings["auth"])
    if settings.get("auth_methods"):
        inside["auth_methods"] = settings["auth_methods"]
    if isinstance(inside.get("auth_methods"), str):
        inside["auth_methods"] = words_of(inside["auth_methods"])
    known = _auth.option_names(auth_type, inside.get("auth_methods", ()))
    beside = without(settings, {*SETTINGS, "auth"})
    weak = {key: value for key, value in beside.items() if key in known and key not in BESIDE_AUTH}
    strong = {key: value for key, value in beside.items() if key in BESIDE_AUTH and value not in (None, "")}
    options = {**canonical_options(auth_type, weak), **canonical_options(auth_type, {**inside, **strong})}
    allowed = known | _DOMAIN | inside.keys() | canonical_options(auth_type, inside).keys()
    options = {key: value for key, value in options.items() if key in allowed}
    return _with_spread_domain(options, known)


def other_forms(options: Mapping[str, Any]) -> set[str]:
    """
    Return the names under which lower settings may have what *options* have: *project_id* for *project_name*.

    The ID in a file would otherwise count over the name that was asked for, without a word.
    """
    given = {key for key, value in options.items() if value not in (None, "")}
    return {key for forms in _FORMS if given & forms for key in forms - given}


def words_of(text: str) -> list[str]:
    """Return the words of a list with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def canonical_options(auth_type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not empty, by their current names; a value under a current name wins."""
    filled = {key: value for key, value in options.items() if value not in (None, "")}
    old = {key: value for key, value in filled.items() if _auth.canonical(auth_type, key) != key}
    return {**{_auth.canonical(auth_type, key): value for key, value in old.items()}, **without(filled, old)}


def _with_spread_domain(options: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """With a project, ``domain_id`` and ``domain_name`` are the user's and the project's domain, not a scope."""
    if not {"project_id", "project_name", "tenant_id", "tenant_name"} & options.keys():
        return {key: value for key, value in options.items() if key not in _DOMAIN or key in known}
    spread = {
        f"{half}_{key}": options[key]
        for key in _DOMAIN & options.keys()
        for half in ("user", "project")
        if f"{half}_{key}" in known
    }
    return {**spread, **without(options, _DOMAIN)}
