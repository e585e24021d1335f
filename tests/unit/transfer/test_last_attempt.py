"""The answer to the last attempt of an upload is lost: what the image is then decides."""

from __future__ import annotations

from typing import Any

import pytest

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from support.http_stub import Answer, HttpStub
from support.upload_stub import DATA, IMAGE, described, script_upload, sent


def upload(proxy: Proxy, stub: HttpStub, afterwards: dict[str, Any]) -> Any:
    """Upload while every answer is lost; the image is queued until the last attempt, and *afterwards* then."""
    script_upload(stub, Answer.drop(), images=(IMAGE, IMAGE, IMAGE, IMAGE, afterwards))
    return proxy.upload_image("abc", DATA)


def test_arrived(proxy: Proxy, stub: HttpStub, pauses: list[float]) -> None:
    """An active image with the right hash is a success; no attempt follows."""
    assert upload(proxy, stub, described()).image_status == "active"
    assert len(sent(stub)) == 4


@pytest.mark.parametrize(
    ("afterwards", "error"),
    [
        (described(DATA[:-1] + b"x"), exceptions.DigestMismatch),
        (IMAGE, exceptions.ConnectFailure),
        ({**IMAGE, "status": "deactivated"}, exceptions.ConnectFailure),
    ],
    ids=["other bytes", "queued", "deactivated"],
)
def test_did_not_arrive(
    proxy: Proxy, stub: HttpStub, pauses: list[float], afterwards: dict[str, Any], error: type[Exception]
) -> None:
    """Any other image is one error; no attempt follows."""
    with pytest.raises(error):
        upload(proxy, stub, afterwards)

    assert len(sent(stub)) == 4
