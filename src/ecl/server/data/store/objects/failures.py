"""What obstore raises, as errors of a store: one clause that says what is wrong, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from ecl.server.data.store.base import DataMissing, StoreError, StoreFull, StoreUnavailable

__all__ = ["BucketDataMissing", "BucketFull", "BucketUnavailable", "translated_errors"]


class BucketUnavailable(StoreUnavailable):
    """The bucket cannot be reached or used."""

    place = "bucket"


class BucketFull(StoreFull):
    """The object storage takes no more data."""

    place = "bucket"


class BucketDataMissing(DataMissing):
    """There is no object under this key."""

    place = "bucket"


_CODE = re.compile(r"<Code>\s*(\w+)\s*</Code>")
_STATUS = re.compile(r"status code: (\d{3})|\bstatus: (\d{3})")
_METHOD = re.compile(r"Error performing ([A-Z]+) ")
_FULL = frozenset({"QuotaExceeded", "InsufficientStorage", "ServiceQuotaExceeded", "XMinioStorageFull"})
#: What each error code of S3 means here.
_MEANINGS = {
    "NoSuchBucket": "there is no such bucket: create it, or correct the url",
    "InvalidAccessKeyId": "the service does not know the access key: correct the access key, or the endpoint",
    "SignatureDoesNotMatch": "the secret key is not the one of the access key: correct it",
    "RequestTimeTooSkewed": "the clock of this machine is too far from the service's clock: set it",
    "ExpiredToken": "the session token has expired: get a new one",
    "InvalidToken": "the session token is wrong: get a new one",
    "PermanentRedirect": "the bucket is in another region of the service: set bucket_region",
    "AuthorizationHeaderMalformed": "the bucket is in another region of the service: set bucket_region",
    "SlowDown": "the service is overloaded (SlowDown)",
}
_RIGHTS = {"PUT": "write to", "POST": "write to", "DELETE": "remove from", "GET": "read", "HEAD": "read"}
#: Parts of the text of an error without an answer, and what they mean.
_WITHOUT_ANSWER = (
    ("/latest/", "there are no credentials: set them in the environment, a file or the settings"),
    ("dns error", "the host of the endpoint cannot be found: correct it"),
    ("certificate", "the certificate of the service is not trusted: set cacert"),
    ("BadScheme", "the endpoint is not https: use https, or set allow_http"),
    ("URL scheme is not allowed", "the endpoint is not https: use https, or set allow_http"),
    ("kind: Connect", "nothing answers at the endpoint: correct it, or start the service"),
    ("redirect without LOCATION", "the bucket is in another region of the service: set bucket_region"),
    ("kind: Timeout", "the service does not answer in time"),
    ("non-partial response", "the service answers a range of bytes by the wrong status, so images cannot be read"),
)


@contextmanager
def translated_errors(key: str | None = None) -> Iterator[None]:
    """
    Translate errors of obstore.

    Args:
        key: The data that is asked for.
    """
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError as exc:
        if key is None or "NoSuchBucket" in str(exc):
            raise BucketUnavailable(_meaning(exc)) from exc
        raise BucketDataMissing(f"no data under the key {key}") from exc
    except (BaseError, OSError, ValueError) as exc:
        code = _CODE.search(str(exc))
        if (code is not None and code[1] in _FULL) or _status(str(exc)) == 507:
            raise BucketFull(_meaning(exc)) from exc
        raise BucketUnavailable(_meaning(exc)) from exc


def _meaning(exc: Exception) -> str:
    text = str(exc)
    code = _CODE.search(text)
    if code is not None and code[1] in _MEANINGS:
        return _MEANINGS[code[1]]
    # Where the keys of a machine's role would be.
    status = None if "/latest/" in text else _status(text)
    method = _METHOD.search(text)
    if status in (401, 403):
        right = _RIGHTS.get(method[1] if method else "", "use")
        return f"the access key has no right to {right} the bucket: give it this right"
    if status is not None:
        what = f" ({code[1]})" if code is not None else ""
        return f"the service answers {method[1] if method else 'a request'} with {status}{what}"
    for part, meaning in _WITHOUT_ANSWER:
        if part in text:
            return meaning
    # The rest of the text is obstore's view of its inside.
    return text.partition("\n")[0].strip() or type(exc).__name__


def _status(text: str) -> int | None:
    found = _STATUS.search(text)
    return int(found[1] or found[2]) if found else None
