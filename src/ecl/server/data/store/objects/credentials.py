"""
The keys to a bucket of S3: from the settings, the environment or the files that other tools use, in this order.

Other kinds of credentials (the role of a machine, a container or a web identity; those of Google Cloud Storage and
Azure) are found by obstore itself, from the same variables as their own tools use.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecl.server.data.store.objects.failures import BucketUnavailable
from ecl.server.settings.model import StoreSettings

__all__ = ["Keys", "find_keys"]


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key with its secret. Only the ID may be shown."""

    access_key_id: str
    secret: str
    #: Of temporary keys.
    token: str | None = None

    def __repr__(self) -> str:
        return f"Keys({self.access_key_id!r})"


def find_keys(settings: StoreSettings, environ: Mapping[str, str], home: Path) -> Keys | None:
    """
    Return the keys, or None if obstore has to find other credentials.

    Raises:
        BucketUnavailable: A file that the settings or the environment name cannot be read, or has no keys.
    """
    if settings.access_key_id is not None and settings.secret_access_key_file is not None:
        return Keys(settings.access_key_id, _secret(settings.secret_access_key_file))
    if settings.credentials_file is not None:
        return _from_file(settings.credentials_file, settings.profile or "default")
    if settings.profile is None and environ.get("AWS_ACCESS_KEY_ID"):
        token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_TOKEN")
        return Keys(environ["AWS_ACCESS_KEY_ID"], environ.get("AWS_SECRET_ACCESS_KEY", ""), token)
    named = environ.get("AWS_SHARED_CREDENTIALS_FILE")
    path = Path(named).expanduser() if named else home / ".aws" / "credentials"
    if not named and not path.is_file() and settings.profile is None:
        return None
    return _from_file(path, settings.profile or environ.get("AWS_PROFILE") or "default")


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as exc:
        raise BucketUnavailable(f"the secret_access_key_file {path} cannot be read: {_reason(exc)}") from exc
    if not secret:
        raise BucketUnavailable(f"the secret_access_key_file {path} is empty")
    return secret


def _from_file(path: Path, profile: str) -> Keys:
    # Without interpolation: a secret may have any character.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as exc:
        raise BucketUnavailable(f"the credentials file {path} cannot be read: {_reason(exc)}") from exc
    except configparser.Error as exc:
        # Its message may show a line with a secret.
        raise BucketUnavailable(f"the credentials file {path} is no INI file with [{profile}]") from exc
    found = parser[profile] if parser.has_section(profile) else {}
    access_key_id, secret = found.get("aws_access_key_id"), found.get("aws_secret_access_key")
    if not access_key_id or not secret:
        raise BucketUnavailable(
            f"the credentials file {path} has no aws_access_key_id and aws_secret_access_key in [{profile}]"
        )
    return Keys(access_key_id, secret, found.get("aws_session_token"))


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or "it is not text"
