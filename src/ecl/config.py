"""
Which cloud, and with what credentials: clouds.yaml, secure.yaml and OS_* variables, in the field's usual places.

A loader of our own, because importing ``openstack.config`` takes about as long as the rest of a command together.
It reads as openstacksdk does; docs/compatibility.md lists where it does not, and why.
"""

from __future__ import annotations

import difflib
import os
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecl import _auth, _config_files, exceptions

__all__ = ["SETTINGS", "CloudConfig", "cloud_names", "from_mapping", "load"]

#: The name of the cloud that OS_* variables describe, unless OS_CLOUD_NAME gives another.
ENVIRONMENT_CLOUD = "envvars"

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

#: Settings of a connection; what is none of them is an option of the log-in.
SETTINGS = frozenset(
    {
        "api_timeout", "auth_methods", "auth_plugin", "auth_type", "cacert", "cert", "endpoint_type",
        "image_endpoint", "image_endpoint_override", "image_endpoint_type", "image_interface", "image_region_name",
        "image_service_name", "image_service_type", "insecure", "interface", "key", "profile", "region_name",
        "regions", "verify",
    }
)  # fmt: skip
_OLD_SETTINGS = {
    "endpoint_type": "interface",
    "image_endpoint_type": "image_interface",
    "image_endpoint": "image_endpoint_override",
    "image_url": "image_endpoint_override",
}

# Variables that say which cloud, or where the files are, and nothing of a cloud.
_SELECTORS = {"OS_CLOUD", "OS_CLOUD_NAME", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"}

_OF_TESTS = ("OS_TEST", "OS_STD", "OS_LOG")

_DOMAIN = {"domain_id", "domain_name"}
# Options that count beside "auth" over those in it, as in openstacksdk; of any other, the one in "auth" counts.
_BESIDE_AUTH = {
    "domain_id", "domain_name", "passcode", "project_domain_id", "project_domain_name", "project_id", "project_name",
    "tenant_id", "tenant_name", "token", "auth_token", "user_domain_id", "user_domain_name",
}  # fmt: skip

# What the openrc files of other tools set for other services and programs.
_OF_OTHERS = re.compile(
    r".*_(api_version|endpoint_type|interface|endpoint_override|service_type|service_name|region_name|timeout)"
    r"|auth_protocol|auth_version|default_domain|cloudname|force_ipv4|no_cache|prefer_ipv6|image_format"
)


@dataclass(frozen=True)
class CloudConfig:
    """What it takes to connect to one cloud."""

    name: str
    auth_type: str = "password"
    #: Options of the authentication type; never shown, because secrets are among them.
    auth: dict[str, Any] = field(default_factory=dict, repr=False)
    region_name: str | None = None
    #: ``public``, ``internal`` or ``admin``, or several in the order of preference.
    interface: str | list[str] | None = None
    #: True, False, or the path of a CA bundle.
    verify: bool | str = True
    #: Path of a client certificate, or of one and its key.
    cert: str | tuple[str, str] | None = None
    #: Seconds of silence from the service to allow; None: the library's default.
    timeout: float | None = None
    image_endpoint_override: str | None = None
    image_service_name: str | None = None
    image_service_type: str | None = None
    #: Instead of *region_name* and *interface*, for the image service.
    image_region_name: str | None = None
    image_interface: str | list[str] | None = None


def load(
    cloud: str | None = None,
    *,
    region_name: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    variables_count: bool = False,
) -> CloudConfig:
    """
    Read one cloud's configuration.

    Args:
        cloud: Name in clouds.yaml; by default OS_CLOUD, else what OS_* variables describe, else the only cloud of
            clouds.yaml.
        region_name: Instead of the file's.
        overrides: Settings and authentication options that count over the file's and the variables'.
        environ: Instead of :data:`os.environ`.
        variables_count: Let OS_* variables count over what the file says of the cloud that OS_CLOUD names, as the
            ``openstack`` command does. Otherwise only OS_REGION_NAME does; and OS_CACERT always counts where the
            file names no certificates.

    Raises:
        ConfigException: No such cloud or region, a malformed file, or a setting that cannot be used.
    """
    env = os.environ if environ is None else environ
    clouds = _config_files.read_clouds(env)
    given = _from_environment(env)
    overrides = {key: value for key, value in (overrides or {}).items() if value is not None}
    of_variables = env.get("OS_CLOUD_NAME") or ENVIRONMENT_CLOUD
    name = cloud or env.get("OS_CLOUD")
    if not name and not {"auth_url", "endpoint"} & given.keys() and len(clouds) == 1:
        name = next(iter(clouds))
    if not name or (name == of_variables and name not in clouds):
        name = of_variables
        entry: Mapping[str, Any] = given
        if not given.keys() - {"region_name"} and not overrides:
            raise exceptions.ConfigException(_nothing_found(clouds, env))
    elif name not in clouds:
        raise exceptions.ConfigException(_no_such_cloud(name, clouds, env))
    else:
        entry = clouds[name]
        if not cloud:
            region_name = region_name or given.get("region_name")
            if variables_count:
                overrides = {**_of_type(given, entry, overrides), **overrides}
        if "cacert" in given:
            entry = _with_cacert(entry, given["cacert"])
    made = from_mapping(name, entry, region_name=region_name, overrides=overrides, environ=env)
    if entry is given:
        _say_what_is_unknown(given, made.auth_type)
    return made


def cloud_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of the clouds in clouds.yaml, in the file's order."""
    return list(_config_files.read_clouds(os.environ if environ is None else environ))


def from_mapping(
    name: str,
    entry: Mapping[str, Any],
    *,
    region_name: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> CloudConfig:
    """
    Make sense of what is written of one cloud.

    Args:
        name: What to call it, in errors too.
        entry: As in clouds.yaml.
        region_name: Instead of the entry's.
        overrides: Settings and authentication options that count over the entry's.
        environ: Where clouds-public.yaml is looked for; instead of :data:`os.environ`.

    Raises:
        ConfigException: No such region or profile, or a setting that cannot be used.
    """
    above = {_OLD_SETTINGS.get(key, key): value for key, value in (overrides or {}).items() if value is not None}
    settings = _with_profile(name, _normal(entry), os.environ if environ is None else environ)
    region = _region_of(name, settings, above.pop("region_name", None) or region_name)
    settings = _config_files.merged(settings, _normal(region["values"]))
    settings["region_name"] = region["name"]
    settings = _with_new_names(_without(settings, _replaced_by(above)))
    settings.update({key: value for key, value in above.items() if key in SETTINGS})
    auth_type = _auth_type_of(settings)
    auth = _options_of(auth_type, settings)
    given = _normal(_without(above, SETTINGS))
    # An empty argument takes away what the file says.
    auth = _without(auth, [_auth.canonical(auth_type, key) for key, value in given.items() if value == ""])
    auth.update(_canonical(auth_type, given))
    values = {**settings, "region_name": region["name"]}
    if auth.get("auth_url"):
        auth["auth_url"] = _filled_in(name, "auth_url", auth["auth_url"], values)
    settings = {key: _filled_in(name, key, value, values) for key, value in settings.items()}
    cacert = auth.pop("cacert", None)
    return CloudConfig(
        name=name,
        auth_type=auth_type,
        auth=auth,
        region_name=settings["region_name"] or None,
        interface=settings.get("interface") or None,
        verify=_verify_of(settings, cacert),
        cert=_cert_of(settings),
        timeout=_timeout_of(name, settings),
        image_endpoint_override=settings.get("image_endpoint_override") or None,
        image_service_name=settings.get("image_service_name") or None,
        image_service_type=settings.get("image_service_type") or None,
        image_region_name=settings.get("image_region_name") or None,
        image_interface=settings.get("image_interface") or None,
    )


# --- layers -----------------------------------------------------------------------------------------------------


def _normal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return *entry* with underscores in its keys, and numbers as the text that was written."""
    return {str(key).replace("-", "_"): _text(value) for key, value in entry.items()}


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _normal(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _with_profile(name: str, entry: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """Lay *entry* over its vendor profile."""
    wanted = entry.get("profile") or entry.get("cloud")
    entry = _without(entry, ("profile", "cloud"))
    auth = entry.setdefault("auth", {})
    if auth is None:
        entry["auth"] = auth = {}
    if not isinstance(auth, Mapping):
        raise exceptions.ConfigException(f"Cloud {name!r}: 'auth' must be a mapping, not {type(auth).__name__}")
    if not wanted:
        return entry
    profile = _config_files.profile(str(wanted), env)
    if profile is None:
        what = f"Cloud {name!r}: there is no vendor profile {wanted!r} in clouds-public.yaml or openstacksdk's folder"
        if not auth.get("auth_url") and not entry.get("auth_url"):
            raise exceptions.ConfigException(f"{what}; write auth_url and the rest of it into clouds.yaml")
        warnings.warn(f"{what}; what clouds.yaml says is used alone", stacklevel=4)
        return entry
    profile = _normal(profile)
    if "region_name" in entry:
        # A region of one's own is not one of the profile's list.
        profile.pop("regions", None)
    return _config_files.merged(profile, entry)


def _region_of(name: str, entry: Mapping[str, Any], wanted: str | None) -> dict[str, Any]:
    """
    Return the region *wanted*, else the first, with the values that count there.

    Raises:
        ConfigException: The cloud lists its regions, and *wanted* is none of them.
    """
    known = entry.get("regions")
    if not known:
        known = entry.get("region_name")
        known = known.split(",") if isinstance(known, str) else known
    regions = [_one_region(name, each) for each in (known if isinstance(known, list) else [known] if known else [])]
    if not regions:
        return {"name": wanted, "values": {}}
    if not wanted:
        return regions[0]
    for region in regions:
        if region["name"] == wanted:
            return region
    if len(regions) == 1 and not entry.get("regions"):
        # One region_name is what is preferred, and no list of what there is.
        return {"name": wanted, "values": {}}
    names = ", ".join(region["name"] for region in regions)
    raise exceptions.ConfigException(f"Cloud {name!r} has no region {wanted!r}; its regions are: {names}")


def _one_region(name: str, region: object) -> dict[str, Any]:
    region = region if isinstance(region, Mapping) else {"name": region}
    named, values = _text(region.get("name")), region.get("values") or {}
    if not isinstance(named, str) or not isinstance(values, Mapping) or region.keys() - {"name", "values"}:
        raise exceptions.ConfigException(
            f"Cloud {name!r}: a region must be text, or a mapping of 'name' (text) and 'values' (a mapping)"
        )
    return {"name": named.strip(), "values": values}


def _replaced_by(above: Mapping[str, Any]) -> set[str]:
    """Return the settings that do not count any more beside those *above*."""
    replaced: set[str] = set()
    for group in ({"verify", "insecure"}, {"cert", "key"}, {"auth_type", "auth_plugin"}):
        if above.keys() & group:
            replaced |= group
    if str(above.get("verify", True)).lower() not in _TRUE:
        # A path, which counts over certificates that the file names.
        replaced.add("cacert")
    return replaced


def _with_new_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings the names of today; an older name counts over today's, as in openstacksdk."""
    old = {_OLD_SETTINGS[key]: value for key, value in settings.items() if key in _OLD_SETTINGS and value}
    if settings.get("image_endpoint_override"):
        old.pop("image_endpoint_override", None)
    return {**_without(settings, _OLD_SETTINGS), **old}


# --- the log-in -------------------------------------------------------------------------------------------------


def _auth_type_of(settings: Mapping[str, Any]) -> str:
    if "auth_type" in settings and settings["auth_type"] in (None, "", "None"):
        return "none"
    found = str(settings.get("auth_type") or settings.get("auth_plugin") or "password")
    return "admin_token" if found == "token_endpoint" else found


def _options_of(auth_type: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in ``auth``, and of those beside it the ones that the type knows."""
    inside: dict[str, Any] = dict(settings["auth"])
    if settings.get("auth_methods"):
        inside["auth_methods"] = settings["auth_methods"]
    if isinstance(inside.get("auth_methods"), str):
        inside["auth_methods"] = _words(inside["auth_methods"])
    known = _auth.option_names(auth_type, inside.get("auth_methods", ()))
    beside = _without(settings, {*SETTINGS, "auth"})
    weak = {key: value for key, value in beside.items() if key in known and key not in _BESIDE_AUTH}
    strong = {key: value for key, value in beside.items() if key in _BESIDE_AUTH and value not in (None, "")}
    options = {**_canonical(auth_type, weak), **_canonical(auth_type, {**inside, **strong})}
    allowed = known | _DOMAIN | inside.keys() | _canonical(auth_type, inside).keys()
    options = {key: value for key, value in options.items() if key in allowed}
    return _with_spread_domain(options, known)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _canonical(auth_type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not empty, under the names of today; what was given by these counts."""
    given = {key: value for key, value in options.items() if value not in (None, "")}
    old = {key: value for key, value in given.items() if _auth.canonical(auth_type, key) != key}
    return {**{_auth.canonical(auth_type, key): value for key, value in old.items()}, **_without(given, old)}


def _without(mapping: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


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
    return {**spread, **_without(options, _DOMAIN)}


# --- TLS, and other values --------------------------------------------------------------------------------------


def _verify_of(settings: Mapping[str, Any], cacert: object) -> bool | str:
    verify = settings.get("verify", True)
    if _is_true(settings.get("insecure", False)) or str(verify).lower() in _FALSE:
        return False
    path = settings.get("cacert") or cacert
    if not path and verify is not None and str(verify).lower() not in _TRUE:
        path = verify
    return os.path.expanduser(str(path)) if path else True


def _with_cacert(entry: Mapping[str, Any], cacert: str) -> Mapping[str, Any]:
    auth = entry.get("auth")
    own = entry.get("cacert") or (isinstance(auth, Mapping) and auth.get("cacert"))
    if own or str(entry.get("verify", True)).lower() not in _TRUE:
        return entry
    return {**entry, "cacert": cacert}


def _cert_of(settings: Mapping[str, Any]) -> str | tuple[str, str] | None:
    cert, key = settings.get("cert"), settings.get("key")
    if isinstance(cert, (tuple, list)):
        cert, key = cert
    if not cert:
        return None
    path = os.path.expanduser(str(cert))
    return (path, os.path.expanduser(str(key))) if key else path


def _timeout_of(name: str, settings: Mapping[str, Any]) -> float | None:
    # There is one timeout for all services; some tools name it after theirs.
    others = [value for key, value in settings.items() if key.endswith("_timeout") and key != "api_timeout"]
    seconds = others[-1] if others else settings.get("api_timeout")
    try:
        return float(seconds) if seconds and float(seconds) else None
    except (TypeError, ValueError):
        raise exceptions.ConfigException(
            f"Cloud {name!r}: api_timeout must be seconds, a number, not {seconds!r}"
        ) from None


def _filled_in(name: str, key: str, value: Any, values: Mapping[str, Any]) -> Any:
    """Put settings in the place of their names in braces: ``https://{region_name}.example.com``."""
    if not isinstance(value, str) or "{" not in value or key == "password":
        return value

    def one(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if not isinstance(found, str):
            raise exceptions.ConfigException(f"Cloud {name!r}: {key} has {match[0]}, and there is no such setting")
        return found

    return re.sub(r"\{(\w+)\}", one, value) if key in SETTINGS or key == "auth_url" else value


def _is_true(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in _TRUE


# --- variables --------------------------------------------------------------------------------------------------


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Return OS_* variables as an entry of clouds.yaml, everything beside ``auth``."""
    return {
        key[3:].lower(): value
        for key, value in env.items()
        if key.startswith("OS_") and not key.startswith(_OF_TESTS) and key not in _SELECTORS and value
    }


def _of_type(given: Mapping[str, Any], entry: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the variables those that mean something to a cloud of clouds.yaml."""
    settings = {key: value for key, value in given.items() if _OLD_SETTINGS.get(key, key) in SETTINGS}
    settings = _with_new_names(_without(settings, ("profile", "regions", "region_name")))
    auth_type = _auth_type_of({**_normal(entry), **settings, **overrides})
    known = _auth.option_names(auth_type, _words(given.get("auth_methods", "")))
    return {**settings, **{key: value for key, value in given.items() if key in known}}


def _say_what_is_unknown(given: Mapping[str, Any], auth_type: str) -> None:
    """Warn of OS_* variables that neither this library nor a well-known tool understands, all on one line."""
    known = _auth.option_names("password") | _auth.option_names("v3applicationcredential") | {"token", "endpoint"}
    known |= (
        _auth.option_names(auth_type, _words(given.get("auth_methods", "")))
        | SETTINGS
        | _OLD_SETTINGS.keys()
        | _BESIDE_AUTH
    )
    unknown = sorted(key for key in given if key not in known and not _OF_OTHERS.fullmatch(key))
    if not unknown:
        return
    words = []
    for key in unknown:
        near = difflib.get_close_matches(key, known, 1, 0.75)
        words.append(f"OS_{key.upper()}" + (f" (did you mean OS_{near[0].upper()}?)" if near else ""))
    warnings.warn(f"These variables are not understood, and left out: {', '.join(words)}", stacklevel=4)


# --- errors -----------------------------------------------------------------------------------------------------


def _no_such_cloud(name: str, clouds: Mapping[str, Any], env: Mapping[str, str]) -> str:
    if not clouds:
        return f"There is no cloud {name!r}: {_where(env)}"
    near = difflib.get_close_matches(name, clouds, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"the file has {', '.join(clouds)}"
    return f"There is no cloud {name!r} in clouds.yaml; {hint}"


def _nothing_found(clouds: Mapping[str, Any], env: Mapping[str, str]) -> str:
    if clouds:
        return f"Which cloud? Name one with --os-cloud or OS_CLOUD: {', '.join(clouds)}"
    return f"No cloud is configured: {_where(env)}, or set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_ID"


def _where(env: Mapping[str, str]) -> str:
    named = env.get("OS_CLIENT_CONFIG_FILE")
    if named:
        return f"{named}, which OS_CLIENT_CONFIG_FILE names, has no clouds; write one under 'clouds' there"
    return "write a clouds.yaml into " + ", ".join(str(folder.absolute()) for folder in _config_files.folders(env)[:3])
