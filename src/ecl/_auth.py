"""From the name of an authentication type and its options to a keystoneauth1 plugin."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ecl import exceptions

if TYPE_CHECKING:
    from keystoneauth1.plugin import BaseAuthPlugin

__all__ = ["canonical", "make_plugin", "option_names"]

_SCOPE = {
    "project_id", "project_name", "project_domain_id", "project_domain_name", "domain_id", "domain_name",
    "system_scope", "trust_id",
}  # fmt: skip
_USER = {"user_id", "username", "user_domain_id", "user_domain_name"}
_DEFAULT_DOMAIN = {"default_domain_id", "default_domain_name"}

# The types in daily use are made directly: keystoneauth1's loader looks through the entry points of everything
# that is installed first, which takes longer than the rest of a short command.
_DIRECT: dict[str, tuple[str, str, set[str]]] = {
    "password": (
        "keystoneauth1.identity.generic", "Password",
        {"auth_url", "password"} | _USER | _SCOPE | _DEFAULT_DOMAIN,
    ),
    "token": ("keystoneauth1.identity.generic", "Token", {"auth_url", "token"} | _SCOPE | _DEFAULT_DOMAIN),
    "v3applicationcredential": (
        "keystoneauth1.identity.v3", "ApplicationCredential",
        {"auth_url", "application_credential_id", "application_credential_name", "application_credential_secret"}
        | _USER,
    ),
    "none": ("keystoneauth1.noauth", "NoAuth", {"endpoint"}),
    "admin_token": ("keystoneauth1.token_endpoint", "Token", {"endpoint", "token"}),
}  # fmt: skip

_REQUIRED = {
    "password": ("auth_url", "password"),
    "token": ("auth_url", "token"),
    "v3applicationcredential": ("auth_url", "application_credential_secret"),
    "none": ("endpoint",),
    "admin_token": ("endpoint", "token"),
}

# Older names that are still in people's scripts and files.
_ALIASES = {
    "tenant_id": "project_id",
    "tenant_name": "project_name",
    "user_name": "username",
    "user": "username",
    "url": "endpoint",
    "auth_token": "token",
}
#: Types whose options have the older names.
_OF_VERSION_2 = frozenset({"v2password", "v2token"})


def canonical(auth_type: str, name: str) -> str:
    """Return the name that the type *auth_type* gives an option: ``project_id`` for ``tenant_id``."""
    if auth_type in _OF_VERSION_2:
        return {"project_id": "tenant_id", "project_name": "tenant_name"}.get(name, name)
    return _ALIASES.get(name, name)


def make_plugin(auth_type: str, options: dict[str, Any]) -> BaseAuthPlugin:
    """
    Make the plugin of type *auth_type* (``password``, ``token``, ``v3applicationcredential`` …).

    A user or a project that is given without a domain belongs to ``default_domain_id`` or ``default_domain_name``;
    without these, to the domain whose ID is ``default``. An option that the type does not know is left out with a
    warning.

    Raises:
        ConfigException: The type is unknown, or an option that it needs is missing.
    """
    options = {canonical(auth_type, key): value for key, value in options.items() if value not in (None, "")}
    if auth_type not in _DIRECT:
        _check_address(options)
        return _load(auth_type, options)
    module, name, known = _DIRECT[auth_type]
    missing = [option for option in _REQUIRED[auth_type] if option not in options]
    if auth_type == "password" and not {"username", "user_id"} & options.keys():
        missing.append("username")
    if missing:
        raise exceptions.ConfigException(_missing(auth_type, missing))
    _check_address(options)
    if known >= _DEFAULT_DOMAIN:
        options = _with_domains(options, known)
    elif auth_type == "v3applicationcredential" and "username" in options and not _has_domain("user", options):
        options["user_domain_id"] = "default"
    plugin: BaseAuthPlugin = getattr(importlib.import_module(module), name)(**_only(options, known, auth_type))
    return plugin


def _with_domains(options: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """
    Give the default domain to the user and to the project, each only if it has no domain of its own.

    keystoneauth1 sends its default domain beside a domain that was given in the other form, and Keystone goes by the
    ID: a default ID would overrule a domain name.
    """
    own = {key: value for key, value in options.items() if key not in _DEFAULT_DOMAIN}
    default = {key: options[key] for key in options.keys() - own.keys()} or {"default_domain_id": "default"}
    halves = [half for half in ("user", "project") if f"{half}_domain_id" in known]
    bare = [half for half in halves if not _has_domain(half, options)]
    if bare == halves:
        # keystoneauth1 gives it to both, and prefers version 3 of the identity API then.
        return {**own, **default}
    return {**own, **{key.replace("default", half): value for half in bare for key, value in default.items()}}


def _has_domain(half: str, options: Mapping[str, Any]) -> bool:
    return f"{half}_domain_id" in options or f"{half}_domain_name" in options


def _check_address(options: Mapping[str, Any]) -> None:
    for name in ("auth_url", "endpoint"):
        address = options.get(name)
        if address is not None and not str(address).lower().startswith(("http://", "https://")):
            raise exceptions.ConfigException(
                f"{name} {address!r} has no scheme: write it with https:// (or http://) in front"
            )


def option_names(auth_type: str, methods: Collection[str] = ()) -> set[str]:
    """
    Return the names of all options of an authentication type, older names among them.

    Args:
        methods: Of ``v3multifactor``, the types that it is made of.

    Raises:
        ConfigException: The type is unknown.
    """
    if auth_type in _DIRECT:
        names = _DIRECT[auth_type][2]
    else:
        names = {option.dest for option in _loader(auth_type, methods).get_options()}
    return names | {old for old, name in _ALIASES.items() if name in names}


def _loader(auth_type: str, methods: Collection[str] = ()) -> Any:
    """Find keystoneauth1's loader of a type. Raises ConfigException."""
    import difflib

    from keystoneauth1 import exceptions as ksa_exceptions
    from keystoneauth1 import loading

    try:
        loader: Any = loading.get_plugin_loader(auth_type)
        if auth_type == "v3multifactor":
            # The options of its methods are known only then; the loader has no public way to be told.
            loader._methods = [method for method in methods if _loader(method)]
        return loader
    except ksa_exceptions.NoMatchingPlugin as exc:
        known = sorted({*_DIRECT, *loading.get_available_plugin_names()})
        near = difflib.get_close_matches(auth_type, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        raise exceptions.ConfigException(f"There is no authentication type {auth_type!r}; {hint}") from exc


def _load(auth_type: str, options: dict[str, Any]) -> BaseAuthPlugin:
    """Make any other plugin, by keystoneauth1's loader."""
    from keystoneauth1 import exceptions as ksa_exceptions

    if auth_type == "v3multifactor" and not options.get("auth_methods"):
        raise exceptions.ConfigException(_missing(auth_type, ["auth_methods"]))
    loader = _loader(auth_type, options.get("auth_methods", ()))
    names = {option.dest for option in loader.get_options()}
    try:
        plugin: BaseAuthPlugin = loader.load_from_options(**_only(options, names, auth_type))
    except ksa_exceptions.MissingRequiredOptions as exc:
        raise exceptions.ConfigException(_missing(auth_type, [option.dest for option in exc.options])) from exc
    except ksa_exceptions.OptionError as exc:
        raise exceptions.ConfigException(f"Authentication type {auth_type!r}: {exc}") from exc
    return plugin


def _only(options: dict[str, Any], known: set[str], auth_type: str) -> dict[str, Any]:
    unknown = sorted(options.keys() - known)
    if len(unknown) == 1:
        import difflib

        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        warnings.warn(
            f"authentication type {auth_type!r} has no option {unknown[0]!r}, it is left out{hint}", stacklevel=4
        )
    elif unknown:
        names = ", ".join(repr(name) for name in unknown)
        warnings.warn(f"authentication type {auth_type!r} has no options {names}: they are left out", stacklevel=4)
    return {name: value for name, value in options.items() if name in known}


def _missing(auth_type: str, names: list[str]) -> str:
    variables = ", ".join(f"OS_{name.upper()}" for name in names)
    return (
        f"Authentication type {auth_type!r} needs {', '.join(names)}: give it as an argument, under 'auth' in"
        f" clouds.yaml, or as {variables}"
    )
