"""A bucket and a prefix in it, as the settings of a store say, and obstore's client of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore, GCSStore, S3Store

from ecl.server.data.store.base import StoreError
from ecl.server.data.store.objects.credentials import Keys, find_keys
from ecl.server.data.store.objects.failures import BucketUnavailable, translated_errors
from ecl.server.settings.buckets import BucketUrl, bucket_url
from ecl.server.settings.model import StoreSettings

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, RetryConfig

__all__ = ["Bucket", "open_bucket"]

#: Seconds for a connection, and for one request with its answer: the largest part on a slow link.
_CONNECT_TIMEOUT = timedelta(seconds=5)
_TIMEOUT = timedelta(seconds=120)
#: A request is tried again after a pause that grows, so often and so many seconds from its start.
_RETRIES = 5
_FIRST_PAUSE = timedelta(milliseconds=100)
_LAST_PAUSE = timedelta(seconds=2)
_RETRY_TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in an object storage."""

    url: BucketUrl
    settings: StoreSettings
    client: S3Store | GCSStore | AzureStore
    #: None if obstore has found the credentials itself, or it is not S3.
    keys: Keys | None

    @property
    def place(self) -> str:
        """The URL without a slash at the end, for people."""
        return str(self.url)

    @property
    def endpoint(self) -> str:
        """The address of S3, as obstore finds it."""
        named = (os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_ENDPOINT_URL"))
        found = self.settings.endpoint or next(filter(None, named), None)
        return (found or f"https://s3.{self.region}.amazonaws.com").rstrip("/")

    @property
    def region(self) -> str:
        """The provider's region of the bucket, as obstore finds it."""
        named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return self.settings.bucket_region or named or "us-east-1"

    def path(self, name: str) -> str:
        """Return the full name in the bucket of what is called *name* under the prefix."""
        return f"{self.url.prefix}/{name}" if self.url.prefix else name

    def has_same_service(self, other: Bucket) -> bool:
        """Return True if data can be copied from *other* by the service itself: it is the same bucket."""
        here, there = self.url, other.url
        return (here.scheme, here.bucket, self.settings.endpoint) == (
            there.scheme,
            there.bucket,
            other.settings.endpoint,
        )


def open_bucket(settings: StoreSettings) -> Bucket:
    """
    Make the client of a store's bucket. No request is sent.

    Raises:
        BucketUnavailable: The credentials or the CA certificate cannot be read, or the options do not fit.
    """
    assert settings.url is not None
    url = bucket_url(settings.url)
    try:
        with translated_errors():
            return _opened(settings, url)
    except StoreError as exc:
        raise BucketUnavailable(f"{url}: {exc}") from exc


def _opened(settings: StoreSettings, url: BucketUrl) -> Bucket:
    options: ClientConfig = {
        "allow_http": settings.allow_http,
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": _TIMEOUT,
    }
    if settings.cacert is not None:
        options["root_certificate"] = _certificate(settings.cacert)
    retries: RetryConfig = {
        "max_retries": _RETRIES,
        "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LAST_PAUSE},
        "retry_timeout": _RETRY_TIMEOUT,
    }
    common: dict[str, Any] = {"client_options": options, "retry_config": retries}
    if url.scheme == "s3":
        keys = find_keys(settings, os.environ, Path.home())
        return Bucket(url, settings, S3Store(url.bucket, config=_s3_config(settings, keys), **common), keys)
    if url.scheme == "gs":
        account: GCSConfig = {}
        if settings.credentials_file is not None:
            account["service_account"] = str(settings.credentials_file)
        return Bucket(url, settings, GCSStore(url.bucket, config=account, **common), None)
    endpoint: AzureConfig = {}
    if settings.endpoint is not None:
        endpoint["endpoint"] = settings.endpoint
    return Bucket(url, settings, AzureStore(url.bucket, config=endpoint, **common), None)


def _s3_config(settings: StoreSettings, keys: Keys | None) -> Any:
    # Any: a TypedDict of obstore that cannot be imported.
    config: dict[str, Any] = {
        "virtual_hosted_style_request": not settings.path_style,
        # Not every service that speaks as S3 does can delete several objects at once.
        "disable_bulk_delete": True,
    }
    if settings.endpoint is not None:
        # This one goes before AWS_ENDPOINT_URL_S3 and the others in the environment.
        config["aws_endpoint_url_s3"] = _with_bucket(settings)
    if settings.bucket_region is not None:
        config["region"] = settings.bucket_region
    if keys is not None:
        config |= {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret}
        if keys.token is not None:
            config["session_token"] = keys.token
    return config


def _with_bucket(settings: StoreSettings) -> str:
    """Return the endpoint; without path style its host begins with the bucket."""
    assert settings.endpoint is not None
    assert settings.url is not None
    endpoint = settings.endpoint.rstrip("/")
    if settings.path_style:
        return endpoint
    scheme, _, host = endpoint.partition("://")
    return f"{scheme}://{bucket_url(settings.url).bucket}.{host}"


def _certificate(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BucketUnavailable(f"the cacert {path} cannot be read: {exc.strerror}") from exc
