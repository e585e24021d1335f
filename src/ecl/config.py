"""
Which cloud, and with what credentials: clouds.yaml, secure.yaml and OS_* variables, in the field's usual places.

A loader of our own, because importing ``openstack.config`` takes about as long as the rest of a command together.
What it does not support (vendor profiles, and ``cloud`` within a cloud) it says.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecl import exceptions

__all__ = ["CloudConfig", "cloud_names", "load"]

#: The name of the cloud that OS_* variables describe.
ENVIRONMENT_CLOUD = "envvars"

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

# OS_* variables that are settings of the connection; any other OS_NAME is the authentication option "name".
_SETTINGS = {
    "OS_AUTH_TYPE": "auth_type",
    "OS_AUTH_PLUGIN": "auth_type",
    "OS_REGION_NAME": "region_name",
    "OS_INTERFACE": "interface",
    "OS_ENDPOINT_TYPE": "interface",
    "OS_CACERT": "cacert",
    "OS_CERT": "cert",
    "OS_KEY": "key",
    "OS_INSECURE": "insecure",
    "OS_IMAGE_ENDPOINT_OVERRIDE": "image_endpoint_override",
    "OS_IMAGE_URL": "image_endpoint_override",
}
_IGNORED = {"OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "OS_IDENTITY_API_VERSION",
            "OS_IMAGE_API_VERSION", "OS_VOLUME_API_VERSION", "OS_COMPUTE_API_VERSION"}  # fmt: skip


@dataclass(frozen=True)
class CloudConfig:
    """What it takes to connect to one cloud."""

    name: str
    auth_type: str = "password"
    #: Options of the authentication type; never shown, because secrets are among them.
    auth: dict[str, Any] = field(default_factory=dict, repr=False)
    region_name: str | None = None
    interface: str | None = None
    #: True, False, or the path of a CA bundle.
    verify: bool | str = True
    #: Path of a client certificate, or of one and its key.
    cert: str | tuple[str, str] | None = None
    #: Seconds of silence from the service to allow; None: the library's default.
    timeout: float | None = None
    image_endpoint_override: str | None = None
    image_service_name: str | None = None


def load(
    cloud: str | None = None,
    *,
    region_name: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> CloudConfig:
    """
    Read one cloud's configuration.

    Args:
        cloud: Name in clouds.yaml; by default OS_CLOUD, else what OS_* variables describe, else the only cloud of
            clouds.yaml.
        region_name: Instead of the file's.
        overrides: Settings and authentication options that count over the file's and the variables'.
        environ: Instead of :data:`os.environ`.

    Raises:
        ConfigException: No such cloud, a malformed file, or a setting that is not supported.
    """
    env = os.environ if environ is None else environ
    clouds = _read_clouds(env)
    given = _from_environment(env)
    name = cloud or env.get("OS_CLOUD")
    if name is None and "auth_url" not in given["auth"] and "endpoint" not in given["auth"] and len(clouds) == 1:
        name = next(iter(clouds))
    if name is None or (name == ENVIRONMENT_CLOUD and name not in clouds):
        entry = given
        name = ENVIRONMENT_CLOUD
        if not entry["auth"] and not overrides:
            raise exceptions.ConfigException(_nothing_found(clouds, env))
    elif name in clouds:
        entry = clouds[name]
    else:
        raise exceptions.ConfigException(_no_such_cloud(name, clouds, env))
    return _make(name, entry, region_name or (env.get("OS_REGION_NAME") if cloud is None else None), overrides or {})


def cloud_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of the clouds in clouds.yaml, in the file's order."""
    return list(_read_clouds(os.environ if environ is None else environ))


def _make(name: str, entry: Mapping[str, Any], region_name: str | None, overrides: Mapping[str, Any]) -> CloudConfig:
    for unsupported in ("profile", "cloud"):
        if unsupported in entry:
            raise exceptions.ConfigException(
                f"Cloud {name!r} has {unsupported!r}, which is not supported here: write what it stands for"
                " (auth_url, region_name …) into clouds.yaml"
            )
    entry = {**entry, **{key: value for key, value in overrides.items() if key in _FIELDS and value is not None}}
    auth = entry.get("auth") or {}
    if not isinstance(auth, Mapping):
        raise exceptions.ConfigException(f"Cloud {name!r}: 'auth' must be a mapping, not {type(auth).__name__}")
    options = {str(key).replace("-", "_"): value for key, value in auth.items()}
    options.update({key: value for key, value in overrides.items() if key not in _FIELDS and value is not None})
    verify = entry.get("verify", True)
    if _is_true(entry.get("insecure", False)) or str(verify).lower() in _FALSE:
        verify = False
    else:
        named = verify if str(verify).lower() not in _TRUE else None
        cacert = named or entry.get("cacert") or options.get("cacert")
        verify = os.path.expanduser(str(cacert)) if cacert else True
    options.pop("cacert", None)
    cert, key = entry.get("cert"), entry.get("key")
    timeout = entry.get("api_timeout")
    return CloudConfig(
        name=name,
        auth_type=entry.get("auth_type") or entry.get("auth_plugin") or "password",
        auth=options,
        region_name=region_name or _region_of(name, entry),
        interface=entry.get("interface") or entry.get("endpoint_type"),
        verify=verify,
        cert=(str(cert), str(key)) if cert and key else cert,
        timeout=float(timeout) if timeout else None,
        image_endpoint_override=entry.get("image_endpoint_override"),
        image_service_name=entry.get("image_service_name"),
    )


_FIELDS = {
    "auth_type", "region_name", "interface", "verify", "insecure", "cacert", "cert", "key", "api_timeout",
    "image_endpoint_override", "image_service_name",
}  # fmt: skip


def _region_of(name: str, entry: Mapping[str, Any]) -> str | None:
    """Return the region, or the first of ``regions``, whose items are names or mappings with a ``name``."""
    region = entry.get("region_name")
    regions = entry.get("regions")
    if region is None and isinstance(regions, list) and regions:
        region = regions[0]["name"] if isinstance(regions[0], Mapping) and "name" in regions[0] else regions[0]
    if region is not None and not isinstance(region, str):
        raise exceptions.ConfigException(f"Cloud {name!r}: the region must be text, not {type(region).__name__}")
    return region or None


def _is_true(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in _TRUE


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"auth": {}}
    for key, value in env.items():
        if not key.startswith("OS_") or key in _IGNORED or not value:
            continue
        if key in _SETTINGS:
            entry.setdefault(_SETTINGS[key], value)
        else:
            entry["auth"][key[3:].lower()] = value
    return entry


def _folders(env: Mapping[str, str]) -> list[Path]:
    """Return where the files are looked for, in order: here, the user's, the machine's; ECL's name first."""
    import platformdirs

    user = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else platformdirs.user_config_path()
    return [Path(), user / "ecl", user / "openstack", Path("/etc/ecl"), Path("/etc/openstack")]


def _find(kind: str, variable: str, env: Mapping[str, str]) -> Path | None:
    """
    Find clouds.yaml or secure.yaml (*kind*).

    Raises:
        ConfigException: *variable* names a file that is not there.
    """
    named = env.get(variable)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise exceptions.ConfigException(f"{variable} names {path}, and there is no such file")
        return path
    candidates = (folder / f"{kind}.{suffix}" for folder in _folders(env) for suffix in ("yaml", "yml", "json"))
    return next((path for path in candidates if path.is_file()), None)


def _read_clouds(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Read clouds.yaml, with secure.yaml laid over it."""
    clouds = _read(_find("clouds", "OS_CLIENT_CONFIG_FILE", env))
    for name, entry in _read(_find("secure", "OS_CLIENT_SECURE_FILE", env)).items():
        clouds[name] = _merged(clouds.get(name, {}), entry)
    return clouds


def _read(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        return {}
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
    except (OSError, yaml.YAMLError) as exc:
        problem = exc.strerror if isinstance(exc, OSError) else _yaml_problem(exc)
        raise exceptions.ConfigException(f"{path} cannot be read: {problem}") from None
    clouds = document.get("clouds") if isinstance(document, dict) else None
    if clouds is None and document is None:
        return {}
    if not isinstance(clouds, dict) or not all(isinstance(entry, dict) for entry in clouds.values()):
        raise exceptions.ConfigException(f"{path} must have a mapping 'clouds' of cloud names to mappings")
    return {str(name): dict(entry) for name, entry in clouds.items()}


def _yaml_problem(exc: Exception) -> str:
    # Not in the words of the YAML library, which quotes what it stumbled over: that may be a password.
    mark = getattr(exc, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{where}it is not valid YAML; put values that begin with a special character into quotes"


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        lower = result.get(key)
        both = isinstance(lower, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(lower, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return result


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
    return "write a clouds.yaml into " + ", ".join(str(folder.absolute()) for folder in _folders(env)[:3])
