"""
Read which cloud to use, and with which credentials: clouds.yaml, secure.yaml and OS_* variables.

A loader of our own, because importing ``openstack.config`` takes about as long as the rest of a command together.
It reads as openstacksdk does; docs/compatibility.md lists the differences and their reasons. The steps are in
``ecl._config``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecl import _auth, exceptions
from ecl._config import files
from ecl._config.environment import from_environment, options_of_variables, warn_of_unknown
from ecl._config.layers import (
    OLD_SETTINGS,
    SETTINGS,
    normal,
    region_of,
    replaced_by,
    with_new_names,
    with_profile,
    without,
)
from ecl._config.login import auth_type_of, canonical_options, options_of, other_forms
from ecl._config.values import cert_of, filled_in, timeout_of, verify_of, with_cacert

__all__ = ["SETTINGS", "CloudConfig", "cloud_names", "from_mapping", "load"]

#: The name of the cloud that OS_* variables describe, unless OS_CLOUD_NAME gives another.
ENVIRONMENT_CLOUD = "envvars"


@dataclass(frozen=True)
class CloudConfig:
    """Everything that a connection to one cloud needs."""

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
    clouds = files.read_clouds(env)
    variables = from_environment(env)
    overrides = {key: value for key, value in (overrides or {}).items() if value is not None}
    environment_cloud = env.get("OS_CLOUD_NAME") or ENVIRONMENT_CLOUD
    name = cloud or env.get("OS_CLOUD")
    if not name and not {"auth_url", "endpoint"} & variables.keys() and len(clouds) == 1:
        name = next(iter(clouds))
    if not name or (name == environment_cloud and name not in clouds):
        name = environment_cloud
        entry: Mapping[str, Any] = variables
        if not variables.keys() - {"region_name"} and not overrides:
            raise exceptions.ConfigException(_nothing_found(clouds, env))
    elif name not in clouds:
        raise exceptions.ConfigException(_no_such_cloud(name, clouds, env))
    else:
        entry = clouds[name]
        if not cloud:
            region_name = region_name or variables.get("region_name")
            if variables_count:
                counting = options_of_variables(variables, entry, overrides)
                overrides = {**without(counting, other_forms(overrides)), **overrides}
        if "cacert" in variables:
            entry = with_cacert(entry, variables["cacert"])
    loaded = from_mapping(name, entry, region_name=region_name, overrides=overrides, environ=env)
    if entry is variables:
        warn_of_unknown(variables, loaded.auth_type)
    return loaded


def cloud_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the names of the clouds in clouds.yaml, in the file's order."""
    return list(files.read_clouds(os.environ if environ is None else environ))


def from_mapping(
    name: str,
    entry: Mapping[str, Any],
    *,
    region_name: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> CloudConfig:
    """
    Read one cloud's entry.

    Args:
        name: The cloud's name, for errors.
        entry: A mapping as in clouds.yaml.
        region_name: Instead of the entry's.
        overrides: Settings and authentication options that count over the entry's.
        environ: Where clouds-public.yaml is looked for; instead of :data:`os.environ`.

    Raises:
        ConfigException: No such region or profile, or a setting that cannot be used.
    """
    above = {OLD_SETTINGS.get(key, key): value for key, value in (overrides or {}).items() if value is not None}
    settings = with_profile(name, normal(entry), os.environ if environ is None else environ)
    region = region_of(name, settings, above.pop("region_name", None) or region_name)
    settings = files.merged(settings, normal(region["values"]))
    settings["region_name"] = region["name"]
    settings = with_new_names(without(settings, replaced_by(above, settings)))
    settings.update({key: value for key, value in above.items() if key in SETTINGS})
    auth_type = auth_type_of(settings)
    auth = options_of(auth_type, settings)
    options = normal(without(above, SETTINGS))
    given = canonical_options(auth_type, options)
    # An empty argument removes the file's value.
    auth = without(auth, [_auth.canonical(auth_type, key) for key, value in options.items() if value == ""])
    auth = {**without(auth, other_forms(given)), **given}
    values = {**settings, "region_name": region["name"]}
    if auth.get("auth_url"):
        auth["auth_url"] = filled_in(name, "auth_url", auth["auth_url"], values)
    settings = {key: filled_in(name, key, value, values) for key, value in settings.items()}
    cacert = auth.pop("cacert", None)
    return CloudConfig(
        name=name,
        auth_type=auth_type,
        auth=auth,
        region_name=settings["region_name"] or None,
        interface=settings.get("interface") or None,
        verify=verify_of(settings, cacert),
        cert=cert_of(settings),
        timeout=timeout_of(name, settings),
        image_endpoint_override=settings.get("image_endpoint_override") or None,
        image_service_name=settings.get("image_service_name") or None,
        image_service_type=settings.get("image_service_type") or None,
        image_region_name=settings.get("image_region_name") or None,
        image_interface=settings.get("image_interface") or None,
    )


def _no_such_cloud(name: str, clouds: Mapping[str, Any], env: Mapping[str, str]) -> str:
    if not clouds:
        return f"There is no cloud {name!r}: {_where(env)}"
    import difflib

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
    return "write a clouds.yaml into " + ", ".join(str(folder.absolute()) for folder in files.folders(env)[:3])
