"""OS_* variables: which of them describe a cloud, and which are unknown."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

from ecl import _auth
from ecl._config.layers import OLD_SETTINGS, SETTINGS, normal, with_new_names, without
from ecl._config.login import BESIDE_AUTH, auth_type_of, words_of

__all__ = [
    "from_environment",
    "options_of_variables",
    "warn_of_unknown",
]

# Variables that choose the cloud or the files, or are about something else; they do not describe a cloud.
_SELECTORS = {"OS_CLOUD", "OS_CLOUD_NAME", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "OS_SIGN_KEY_PASSWORD"}

_OF_TESTS = ("OS_TEST", "OS_STD", "OS_LOG")

# Variables that openrc files of other tools set for other services and programs.
_OF_OTHERS = re.compile(
    r".*_(api_version|endpoint_type|interface|endpoint_override|service_type|service_name|region_name|timeout)"
    r"|auth_protocol|auth_version|default_domain|cloudname|force_ipv4|no_cache|prefer_ipv6|image_format"
)


def from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Return OS_* variables as an entry of clouds.yaml, everything beside ``auth``."""
    return {
        key[3:].lower(): value
        for key, value in env.items()
        if key.startswith("OS_") and not key.startswith(_OF_TESTS) and key not in _SELECTORS and value
    }


def options_of_variables(
    variables: Mapping[str, Any], entry: Mapping[str, Any], overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return of the variables those that mean something to a cloud of clouds.yaml."""
    settings = {key: value for key, value in variables.items() if OLD_SETTINGS.get(key, key) in SETTINGS}
    settings = with_new_names(without(settings, ("profile", "regions", "region_name")))
    auth_type = auth_type_of({**normal(entry), **settings, **overrides})
    known = _auth.option_names(auth_type, words_of(variables.get("auth_methods", "")))
    return {**settings, **{key: value for key, value in variables.items() if key in known}}


def warn_of_unknown(variables: Mapping[str, Any], auth_type: str) -> None:
    """Warn, on one line, of OS_* variables that neither this library nor a well-known tool understands."""
    known = _auth.option_names("password") | _auth.option_names("v3applicationcredential") | {"token", "endpoint"}
    known |= (
        _auth.option_names(auth_type, words_of(variables.get("auth_methods", "")))
        | SETTINGS
        | OLD_SETTINGS.keys()
        | BESIDE_AUTH
    )
    unknown = sorted(key for key in variables if key not in known and not _OF_OTHERS.fullmatch(key))
    if not unknown:
        return
    import difflib

    words = []
    for key in unknown:
        near = difflib.get_close_matches(key, known, 1, 0.75)
        words.append(f"OS_{key.upper()}" + (f" (did you mean OS_{near[0].upper()}?)" if near else ""))
    warnings.warn(f"These variables are unknown and were ignored: {', '.join(words)}", stacklevel=4)
