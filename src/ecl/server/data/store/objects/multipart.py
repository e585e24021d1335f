"""
Multipart uploads to S3 that were begun and not ended: list them, and abort those to one key.

obstore has neither request, so they are signed here (Signature Version 4), by keys that `find_keys` has found.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import requests

from ecl.server.data.store.objects.bucket import Bucket
from ecl.server.data.store.objects.failures import BucketUnavailable

__all__ = ["NotAllowed", "Unfinished", "abort_unfinished", "can_list_unfinished", "unfinished"]

#: Seconds for a connection, and for an answer.
_TIMEOUT = (5, 30)
_NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A multipart upload that has not ended."""

    path: str
    upload_id: str
    #: Seconds since 1970.
    begun: float


class NotAllowed(BucketUnavailable):
    """The keys have no right to list or abort uploads, or the service does not know these requests."""


def can_list_unfinished(bucket: Bucket) -> bool:
    """Return True if there are keys to sign with."""
    return bucket.url.scheme == "s3" and bucket.keys is not None


def unfinished(bucket: Bucket, prefix: str) -> Iterator[Unfinished]:
    """Yield the uploads to names that begin with *prefix*. Raises StoreUnavailable."""
    more = {"key-marker": "", "upload-id-marker": ""}
    while True:
        query = {"uploads": "", "prefix": prefix, **{name: value for name, value in more.items() if value}}
        page = ElementTree.fromstring(_send(bucket, "GET", "", query))  # noqa: S314 - of the operator's own storage
        for upload in page.iter():
            if _name(upload) == "Upload":
                field = {_name(each): each.text or "" for each in upload}
                yield Unfinished(field["Key"], field["UploadId"], _seconds(field.get("Initiated", "")))
        about = {_name(each): each.text or "" for each in page}
        if about.get("IsTruncated") != "true":
            return
        more = {"key-marker": about["NextKeyMarker"], "upload-id-marker": about.get("NextUploadIdMarker", "")}


def abort_unfinished(bucket: Bucket, path: str) -> None:
    """Abort the uploads to *path*, and remove their parts. Raises StoreUnavailable."""
    for upload in unfinished(bucket, path):
        if upload.path == path:
            _send(bucket, "DELETE", path, {"uploadId": upload.upload_id}, gone_is_fine=True)


def _name(element: ElementTree.Element) -> str:
    """Return the name without its namespace, which some services leave out."""
    return element.tag.rpartition("}")[2]


def _seconds(text: str) -> float:
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _send(bucket: Bucket, method: str, path: str, query: dict[str, str], *, gone_is_fine: bool = False) -> bytes:
    """Send a signed request without a body, and return the answer's body."""
    settings, keys = bucket.settings, bucket.keys
    assert keys is not None
    address = urlsplit(bucket.endpoint)
    host, root = address.netloc, f"{address.path}/{bucket.url.bucket}"
    if not settings.path_style:
        host, root = f"{bucket.url.bucket}.{host}", address.path
    target = quote(f"{root}/{path}" if path else root or "/", safe="/~")
    signed_query = "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))
    now = datetime.datetime.now(datetime.UTC)
    headers = {"host": host, "x-amz-content-sha256": _NO_BODY, "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ")}
    if keys.token is not None:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n{target}\n{signed_query}\n{lines}\n{names}\n{_NO_BODY}"
    scope = f"{now:%Y%m%d}/{bucket.region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    url = f"{address.scheme}://{host}{target}?{signed_query}"
    verify = str(settings.cacert) if settings.cacert is not None else True
    try:
        answer = requests.request(
            method,
            url,
            headers=headers,
            # Not from ~/.netrc: that would replace the signature.
            auth=lambda request: request,
            timeout=_TIMEOUT,
            verify=verify,
            allow_redirects=False,
        )
    except requests.RequestException as exc:
        raise BucketUnavailable(f"unfinished uploads cannot be listed or removed: {type(exc).__name__}") from exc
    status = answer.status_code
    if status >= 300 and not (gone_is_fine and status == 404):
        error = NotAllowed if status < 500 or status == 501 else BucketUnavailable
        raise error(f"unfinished uploads cannot be listed or removed: status {status}")
    return answer.content
