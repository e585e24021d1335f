"""The URL of a store in a bucket, and the check of the settings that belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ecl.server.settings.model import StoreSettings

__all__ = ["BucketUrl", "bucket_url", "wrong_bucket"]

#: Kinds of object storage: S3 and what speaks as it does, Google Cloud Storage, Azure Blob Storage.
_SCHEMES = ("s3", "gs", "az")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
#: Names below the bucket that need no quoting anywhere.
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]*(/[A-Za-z0-9][A-Za-z0-9._=-]*)*")
#: Settings that only a store with a url has, with what they are by default, and the kinds of storage that know them.
_ONLY = {
    "endpoint": (None, ("s3", "az")),
    "path_style": (True, ("s3",)),
    "allow_http": (False, ("s3", "az")),
    "bucket_region": (None, ("s3",)),
    "cacert": (None, _SCHEMES),
    "access_key_id": (None, ("s3",)),
    "secret_access_key_file": (None, ("s3",)),
    "credentials_file": (None, ("s3", "gs")),
    "profile": (None, ("s3",)),
    "removal_delay": (None, _SCHEMES),
}


@dataclass(frozen=True, slots=True)
class BucketUrl:
    """The parts of ``s3://bucket/prefix``."""

    scheme: str
    bucket: str
    #: Without a slash at either end; may be empty.
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def bucket_url(url: str) -> BucketUrl:
    """Return the parts of *url*. Raises ValueError if it is not the URL of a bucket."""
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if (
        parts.scheme not in _SCHEMES
        or not _BUCKET.fullmatch(parts.netloc)
        or (prefix and not _PREFIX.fullmatch(prefix))
        or parts.query
        or parts.fragment
    ):
        raise ValueError("not the URL of a bucket")
    return BucketUrl(parts.scheme, parts.netloc, prefix)


def wrong_bucket(region: str, store: StoreSettings) -> str | None:
    """Return a sentence about the first setting of *store* that is wrong, or None."""
    what = f"the store {store.name} of region {region}"
    changed = [name for name, (default, _) in _ONLY.items() if getattr(store, name) != default]
    if store.url is None:
        return f"{_upper(what)} has {changed[0]}, which only a store with a url has." if changed else None
    if store.dir is not None:
        return f"{_upper(what)} has both a dir and a url: choose one."
    try:
        url = bucket_url(store.url)
    except ValueError:
        return (
            f"The url of {what} is {_shown(store.url)}, but must be one such as s3://bucket/prefix, gs://bucket/prefix "
            "or az://container/prefix, with letters, digits, dots, dashes and underscores."
        )
    for name in changed:
        if url.scheme not in _ONLY[name][1]:
            return f"{_upper(what)} has {name}, which a store at {url.scheme}:// does not have."
    if store.endpoint is not None:
        return _wrong_endpoint(what, store, store.endpoint) or _wrong_keys(what, store)
    return _wrong_keys(what, store)


def _wrong_endpoint(what: str, store: StoreSettings, endpoint: str) -> str | None:
    try:
        parts = urlsplit(endpoint)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        is_right = False
    if not is_right:
        return f"The endpoint of {what} must be a URL such as https://s3.example."
    if parts.scheme == "http" and not store.allow_http:
        return f"The endpoint of {what} is not https: use https, or set allow_http = true if data may go unprotected."
    return None


def _wrong_keys(what: str, store: StoreSettings) -> str | None:
    if (store.access_key_id is None) != (store.secret_access_key_file is None):
        return f"{_upper(what)} needs both access_key_id and secret_access_key_file."
    if store.access_key_id is not None and (store.credentials_file is not None or store.profile is not None):
        return f"{_upper(what)} has two kinds of credentials: access_key_id, or credentials_file and profile."
    if store.removal_delay is not None and not 0 <= store.removal_delay <= 30 * 86400:
        return f"The removal_delay of {what} is {store.removal_delay}, but must be 0 to 2592000 seconds."
    return None


def _shown(url: str) -> str:
    """Return the URL without what may be a password in it."""
    return repr(re.sub(r"//[^/]*@", "//...@", url)[:200])


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]
