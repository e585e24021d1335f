"""The image service by a session that knows its token, as a command with a cached token has it."""

from __future__ import annotations

import datetime
from typing import Any

import ecl
from ecl._http.direct import DirectSession
from ecl._http.known_token import KnownToken
from ecl.image.v2._proxy import Proxy
from ecl.profile import Profile

__all__ = ["TOKEN", "direct_proxy", "token_body"]

TOKEN = "known-token"


def token_body(url: str, lifetime: float = 3600) -> dict[str, Any]:
    """Return what Keystone says of a token: good for *lifetime* seconds, for one image service at *url*."""
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=lifetime)
    endpoint = {"id": "e", "interface": "public", "region": "jp1", "region_id": "jp1", "url": url}
    return {
        "token": {
            "expires_at": end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "project": {"id": "0" * 32},
            "catalog": [{"id": "i", "type": "image", "name": "glance", "endpoints": [endpoint]}],
        }
    }


def direct_proxy(url: str, **options: Any) -> Proxy:
    """
    Return the image service at *url*.

    Args:
        options: *verify* and *timeout*, for this session and the one of keystoneauth1 behind it.
    """

    def make_session() -> Any:
        return ecl.connect(auth_type="admin_token", endpoint=url, token=TOKEN, **options).session

    return Proxy(DirectSession(KnownToken(TOKEN, token_body(url)), make_session, profile=Profile(), **options))
