"""A session that uses the cached token without keystoneauth1, where the configuration allows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ecl.cli._token_cache import MARGIN, TokenCache

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from ecl._http.direct import DirectSession
    from ecl.config import CloudConfig

__all__ = ["session_for"]


def session_for(config: CloudConfig, make_session: Callable[[], Session]) -> DirectSession | None:
    """
    Return a session for the cached token.

    Args:
        make_session: Makes the real session, for what this one cannot do.

    Returns:
        None if there is no such token, or if requests go through a proxy, with a client certificate, or to a service
        whose certificate is not checked: keystoneauth1 does that.
    """
    cache = TokenCache.of(config)
    entry = cache.read() if cache is not None and config.verify and not config.cert else None
    if entry is None:
        return None
    from ecl import profile
    from ecl._http.direct import DirectSession
    from ecl._http.known_token import KnownToken
    from ecl._http.plain import is_behind_a_proxy

    if is_behind_a_proxy():
        return None
    try:
        token = KnownToken(entry["auth_token"], entry["body"])
    except (TypeError, KeyError, AttributeError, ValueError):
        # A token of another version, or a damaged file.
        return None
    if token.seconds_left() <= MARGIN:
        return None
    override = config.image_endpoint_override
    return DirectSession(
        token,
        make_session,
        profile=profile.for_cloud(config),
        endpoint_overrides={"image": override} if override else None,
        verify=config.verify,
        timeout=config.timeout,
        margin=MARGIN,
    )
