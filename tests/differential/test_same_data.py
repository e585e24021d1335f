"""Uploading and downloading: the same answers as Glance."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twin import OCTETS, Twin

from support.images import RealImage
from support.unsafe_images import SAFE, UNSAFE

VIEWERS = ("member", "reader", "other", "admin")
RANGES = """
bytes=0-4
bytes=2-
bytes=-3
bytes=9-9
bytes=0-100
bytes=-100
bytes=-0
bytes=0-9
bytes=10-
bytes=5-2
bytes=a-b
items=0-1
bytes=0-1,3-4
bytes=
bytes
bytes = 0-1
BYTES=0-1
bytes=00-01
""".strip().split("\n")


def test_upload_and_download(twin: Twin) -> None:
    """The data is the same for whoever may have it."""
    made = twin.active(visibility="community")
    twin.send("GET", f"/v2/images/{made}")
    for who in (*VIEWERS, None):
        twin.send("GET", f"/v2/images/{made}/file", who=who)
        twin.send("PUT", f"/v2/images/{made}/file", data=b"x", who=who, Content_Type=OCTETS)


@pytest.mark.parametrize("header", ["bytes=-", "bytes=0-1-2"])
def test_ranges_that_are_none(twin: Twin, header: str) -> None:
    """What is not two numbers with a dash is no range."""
    made = twin.active()
    twin.send("GET", f"/v2/images/{made}/file", Range=header, differs="range-odd")


@pytest.mark.parametrize("header", RANGES)
def test_ranges(twin: Twin, header: str) -> None:
    """A part of the data is the same part."""
    made = twin.active()
    twin.send("GET", f"/v2/images/{made}/file", Range=header)


@pytest.mark.parametrize(
    "header", ["bytes 0-4/10", "bytes 0-4/*", "bytes 0-9/10", "bytes 0-10/10", "bytes 4-2/10", "x", "bytes 2-3/11"]
)
def test_old_ranges(twin: Twin, header: str) -> None:
    """The older way to ask for a part works alike."""
    made = twin.active()
    twin.send("GET", f"/v2/images/{made}/file", Content_Range=header)


@pytest.mark.parametrize("header", ["bytes=0-0", "bytes=0-"])
def test_ranges_of_nothing(twin: Twin, header: str) -> None:
    """No part of an empty image can be had."""
    made = twin.active(b"")
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", f"/v2/images/{made}/file")
    twin.send("GET", f"/v2/images/{made}/file", Range=header)


def test_the_end_of_nothing(twin: Twin) -> None:
    """An empty image has no last byte."""
    made = twin.active(b"")
    twin.send("GET", f"/v2/images/{made}/file", Range="bytes=-1", differs="range-odd")


def test_no_data_yet(twin: Twin) -> None:
    """An image without data has an empty answer."""
    made = twin.create(disk_format="raw", container_format="bare")
    for who in VIEWERS:
        twin.send("GET", f"/v2/images/{made}/file", who=who)
    twin.send("GET", f"/v2/images/{made}/file", Range="bytes=0-1", differs="range-without-data")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json", OCTETS + "; x=y", OCTETS.upper()])
def test_upload_media_types(twin: Twin, media_type: str) -> None:
    """Data is octets and nothing else."""
    made = twin.create(disk_format="raw", container_format="bare")
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=media_type)
    twin.send("GET", f"/v2/images/{made}")


def test_upload_needs_formats(twin: Twin) -> None:
    """Both formats must be set first."""
    for formats in ({}, {"disk_format": "raw"}, {"container_format": "bare"}):
        made = twin.create(**formats)
        twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=OCTETS)
        twin.send("GET", f"/v2/images/{made}")


@pytest.mark.parametrize("size", ["10", "9", "11", "-1", "x", "", "1.5"])
def test_declared_size(twin: Twin, size: str) -> None:
    """What arrives must be as long as was said."""
    made = twin.create(disk_format="raw", container_format="bare")
    headers = {"X_OpenStack_Image_Size": size}
    twin.send("PUT", f"/v2/images/{made}/file", data=b"0123456789", Content_Type=OCTETS, **headers)
    twin.send("GET", f"/v2/images/{made}")


def test_unknown_store(twin: Twin) -> None:
    """There must be such a store."""
    made = twin.create(disk_format="raw", container_format="bare")
    headers = {"X_Image_Meta_Store": "nowhere"}
    twin.send("PUT", f"/v2/images/{made}/file", data=b"x", Content_Type=OCTETS, **headers)
    twin.send("GET", f"/v2/images/{made}")


def test_deactivation(twin: Twin) -> None:
    """A deactivated image can be downloaded by administrators only."""
    made = twin.active(visibility="community")
    for action in ("deactivate", "deactivate", "reactivate", "reactivate", "nothing"):
        for who in ("reader", "other", "member"):
            twin.send("POST", f"/v2/images/{made}/actions/{action}", who=who)
            status = twin.embedded.send("admin", "GET", f"/v2/images/{made}", None, {}).body["status"]
            if status == "deactivated":
                twin.send("GET", f"/v2/images/{made}", who=who, differs="deactivated-stores")
            else:
                twin.send("GET", f"/v2/images/{made}", who=who)
        for who in VIEWERS:
            twin.send("GET", f"/v2/images/{made}/file", who=who)
    twin.send("POST", f"/v2/images/{made}/actions/deactivate", {})
    twin.send("GET", f"/v2/images/{made}/actions/deactivate")
    queued = twin.create()
    twin.send("POST", f"/v2/images/{queued}/actions/deactivate")
    twin.send("POST", f"/v2/images/{queued}/actions/reactivate")


def test_deletion(twin: Twin) -> None:
    """What is deleted is gone for everyone."""
    made = twin.active(protected=True)
    twin.send("DELETE", f"/v2/images/{made}")
    twin.patch(made, {"op": "replace", "path": "/protected", "value": False})
    twin.send("DELETE", f"/v2/images/{made}", {})
    twin.send("DELETE", f"/v2/images/{made}", who="reader")
    twin.send("DELETE", f"/v2/images/{made}", who="other")
    twin.send("DELETE", f"/v2/images/{made}")
    for who in VIEWERS:
        twin.send("DELETE", f"/v2/images/{made}", who=who)
        twin.send("GET", f"/v2/images/{made}", who=who)
        twin.send("GET", f"/v2/images/{made}/file", who=who)


@pytest.mark.parametrize("content", ["qcow2", "vmdk", "vdi", "vhd", "vhdx", "raw", "iso"])
@pytest.mark.parametrize("declared", ["qcow2", "vmdk", "vdi", "vhd", "vhdx", "raw", "iso", "ami", "ploop"])
def test_formats(twin: Twin, real_image: Callable[[str], RealImage], declared: str, content: str) -> None:
    """Content that is not what the image says is refused alike; else the virtual size is the same."""
    made = twin.create(disk_format=declared, container_format="bare")
    data = real_image(content).path.read_bytes()
    answer = twin.send("PUT", f"/v2/images/{made}/file", data=data, Content_Type=OCTETS)
    if answer.status == 204:
        twin.send("GET", f"/v2/images/{made}")


def test_unsafe_content(twin: Twin, real_image: Callable[[str], RealImage]) -> None:
    """An image that points at another file is refused, whatever it says that it is."""
    data = real_image("backed").path.read_bytes()
    for declared in ("qcow2", "raw"):
        made = twin.create(disk_format=declared, container_format="bare")
        twin.send("PUT", f"/v2/images/{made}/file", data=data, Content_Type=OCTETS)


@pytest.mark.parametrize("what", [*UNSAFE, *SAFE])
def test_what_is_safe(twin: Twin, what: str) -> None:
    """The same content is safe, whatever the image says that it is, and has the same virtual size."""
    _disk_format, content, _word = (UNSAFE | SAFE)[what]
    for declared in ("qcow2", "vmdk", "iso", "raw", "ami"):
        made = twin.create(disk_format=declared, container_format="bare")
        answer = twin.send("PUT", f"/v2/images/{made}/file", data=content, Content_Type=OCTETS)
        if answer.status == 204:
            twin.send("GET", f"/v2/images/{made}")


def test_other_containers(twin: Twin, real_image: Callable[[str], RealImage]) -> None:
    """What is in a container is not looked at."""
    data = real_image("qcow2").path.read_bytes()
    for container in ("ovf", "ova", "docker", "ami", "compressed"):
        made = twin.create(disk_format="raw", container_format=container)
        twin.send("PUT", f"/v2/images/{made}/file", data=data, Content_Type=OCTETS)
        twin.send("GET", f"/v2/images/{made}")
