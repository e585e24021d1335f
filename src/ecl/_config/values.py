"""Single settings of a cloud: certificates, timeouts, names in braces."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from ecl import exceptions
from ecl._config.layers import SETTINGS, TRUE

__all__ = [
    "cert_of",
    "filled_in",
    "timeout_of",
    "verify_of",
    "with_cacert",
]

_FALSE = {"0", "false", "no", "off"}


def verify_of(settings: Mapping[str, Any], cacert: object) -> bool | str:
    """Return False, True, or the path of a CA bundle, for requests' *verify*."""
    verify = settings.get("verify", True)
    if _is_true(settings.get("insecure", False)) or str(verify).lower() in _FALSE:
        return False
    path = settings.get("cacert") or cacert
    if not path and verify is not None and str(verify).lower() not in TRUE:
        path = verify
    return os.path.expanduser(str(path)) if path else True


def with_cacert(entry: Mapping[str, Any], cacert: str) -> Mapping[str, Any]:
    """Return *entry* with the CA file *cacert*, unless it has settings for certificates of its own."""
    auth = entry.get("auth")
    own = entry.get("cacert") or (isinstance(auth, Mapping) and auth.get("cacert"))
    if own or str(entry.get("verify", True)).lower() not in TRUE:
        return entry
    return {**entry, "cacert": cacert}


def cert_of(settings: Mapping[str, Any]) -> str | tuple[str, str] | None:
    """Return the client certificate, or the certificate and its key."""
    cert, key = settings.get("cert"), settings.get("key")
    if isinstance(cert, (tuple, list)):
        cert, key = cert
    if not cert:
        return None
    path = os.path.expanduser(str(cert))
    return (path, os.path.expanduser(str(key))) if key else path


def timeout_of(name: str, settings: Mapping[str, Any]) -> float | None:
    """Return the seconds of silence to allow. Raises ConfigException."""
    # There is one timeout for all services; some tools name it after theirs.
    others = [value for key, value in settings.items() if key.endswith("_timeout") and key != "api_timeout"]
    seconds = others[-1] if others else settings.get("api_timeout")
    try:
        return float(seconds) if seconds and float(seconds) else None
    except (TypeError, ValueError):
        raise exceptions.ConfigException(
            f"Cloud {name!r}: api_timeout must be seconds, a number, not {seconds!r}"
        ) from None


def filled_in(name: str, key: str, value: Any, values: Mapping[str, Any]) -> Any:
    """Replace names in braces by the settings: ``https://{region_name}.example.com``."""
    if not isinstance(value, str) or "{" not in value or key == "password":
        return value

    def one(match: re.Match[str]) -> str:
        found = values.get(match[1])
        if not isinstance(found, str):
            raise exceptions.ConfigException(f"Cloud {name!r}: {key} has {match[0]}, and there is no such setting")
        return found

    return re.sub(r"\{(\w+)\}", one, value) if key in SETTINGS or key == "auth_url" else value


def _is_true(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in TRUE
