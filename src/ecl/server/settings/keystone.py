"""The check of the settings of an external Keystone, its address, and the password of the service's user there."""

from __future__ import annotations

from urllib.parse import urlsplit

from ecl.server.settings.model import KeystoneSettings, Settings

__all__ = ["client_url", "service_password", "v3_url", "wrong_keystone"]

#: Most seconds for which a token may be believed: as long may a revoked one still count.
_MOST_CACHE = 300


def v3_url(url: str) -> str:
    """Return the address of version 3 of a Keystone; *url* may name the version or not."""
    url = url.rstrip("/")
    return url if url.endswith("/v3") else f"{url}/v3"


def client_url(keystone: KeystoneSettings) -> str:
    """Return the address of the Keystone for clients."""
    return v3_url(keystone.public_auth_url or keystone.auth_url)


def service_password(keystone: KeystoneSettings) -> str:
    """
    Return the password in ``password_file``: its first line.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not UTF-8, or has no password.
    """
    password = keystone.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    if not password:
        raise ValueError("it is empty")
    return password


def wrong_keystone(settings: Settings) -> str | None:
    """Return a sentence about the first setting of ``keystone`` that is wrong, or None."""
    keystone = settings.keystone
    if keystone is None:
        return None
    for name in ("auth_url", "public_auth_url"):
        value = getattr(keystone, name)
        if value is not None and not _is_url(value):
            return f"The setting keystone.{name} must be a URL such as https://keystone.example/v3."
    for name in ("username", "project_name", "user_domain_name", "project_domain_name"):
        if not getattr(keystone, name):
            return f"The setting keystone.{name} is empty."
    for name, low, high in (("timeout", 0.1, 60), ("cache_seconds", 0, _MOST_CACHE), ("cache_tokens", 1, 1_000_000)):
        value = getattr(keystone, name)
        # In this form it also refuses what is not a number at all.
        if not low <= value <= high:
            return f"The setting keystone.{name} is {value}, but must be {low} to {high}."
    served = [region.name for region in settings.regions]
    for project, region in keystone.project_regions.items():
        if region not in served:
            return (
                f"The project {project} has the region {region!r} in keystone.project_regions, but there are only "
                f"{', '.join(served)}."
            )
    if keystone.region_tag is not None and (not keystone.region_tag or set(keystone.region_tag) & set("/,=")):
        return "The setting keystone.region_tag must be a text without '/', ',' and '=', such as ecl:region."
    for name in ("password_file", "cacert"):
        path = getattr(keystone, name)
        if path is not None and not path.is_file():
            return f"The keystone.{name} {path} is not there."
    try:
        service_password(keystone)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        return f"The keystone.password_file {keystone.password_file} cannot be used: {reason}."
    return None


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and not (parts.query or parts.fragment or parts.username)
        )
    except ValueError:
        return False
