"""What cannot be right is refused before anything is sent, in one clear error."""

from __future__ import annotations

import pytest

from ecl import exceptions
from ecl.image.v2.image import Image
from ecl.image.v2.member import Member

BAD_IDS = [None, "", 5, 1.5, b"abc", ["abc"], {"id": "abc"}, True, object(), Member(member_id="m")]
IMAGE_CALLS = {
    "get_image": lambda proxy, value: proxy.get_image(value),
    "delete_image": lambda proxy, value: proxy.delete_image(value),
    "update_image": lambda proxy, value: proxy.update_image(value, {"name": "x"}),
    "upload_image": lambda proxy, value: proxy.upload_image(value, b"data"),
    "download_image": lambda proxy, value: proxy.download_image(value),
    "copy_image": lambda proxy, value: proxy.copy_image(value, "tenant"),
    "create_member": lambda proxy, value: proxy.create_member(value, member="m"),
    "get_member": lambda proxy, value: proxy.get_member(value, "m"),
    "delete_member": lambda proxy, value: proxy.delete_member(value, "m"),
    "update_member": lambda proxy, value: proxy.update_member(value, "m", "accepted"),
    "members": lambda proxy, value: list(proxy.members(value)),
    "add_tag": lambda proxy, value: proxy.add_tag(value, "t"),
    "delete_tag": lambda proxy, value: proxy.delete_tag(value, "t"),
    "remove_tag": lambda proxy, value: proxy.remove_tag(value, "t"),
    "find_member": lambda proxy, value: proxy.find_member("m", value),
    "wait_for_image": lambda proxy, value: proxy.wait_for_image(value),
    "stage_image": lambda proxy, value: proxy.stage_image(value, b"data"),
    "import_image": lambda proxy, value: proxy.import_image(value),
    "image_tasks": lambda proxy, value: list(proxy.image_tasks(value)),
    "image_locations": lambda proxy, value: list(proxy.image_locations(value)),
    "add_image_location": lambda proxy, value: proxy.add_image_location(value, "http://images.example/x"),
    "delete_image_from_store": lambda proxy, value: proxy.delete_image_from_store(value, "s"),
    "deactivate_image": lambda proxy, value: proxy.deactivate_image(value),
    "reactivate_image": lambda proxy, value: proxy.reactivate_image(value),
    "queue_image": lambda proxy, value: proxy.queue_image(value),
    "cache_delete_image": lambda proxy, value: proxy.cache_delete_image(value),
    "cached_image_nodes": lambda proxy, value: proxy.cached_image_nodes(value),
}
#: Calls with one bad argument, which is no image.
OTHER_CALLS = {
    "find_image": lambda proxy, value: proxy.find_image(value),
    "get_image_copy_job": lambda proxy, value: proxy.get_image_copy_job(value),
    "cancel_copy_image": lambda proxy, value: proxy.cancel_copy_image(value),
    "wait_for_image_copy": lambda proxy, value: proxy.wait_for_image_copy(value),
    "copy_image tenant": lambda proxy, value: proxy.copy_image("abc", value),
    "create_member member": lambda proxy, value: proxy.create_member("abc", member=value),
    "get_member member": lambda proxy, value: proxy.get_member("abc", value),
    "delete_member member": lambda proxy, value: proxy.delete_member("abc", value),
    "update_member member": lambda proxy, value: proxy.update_member("abc", value, "accepted"),
    "update_member status": lambda proxy, value: proxy.update_member("abc", "m", value),
    "add_tag tag": lambda proxy, value: proxy.add_tag("abc", value),
    "delete_tag tag": lambda proxy, value: proxy.delete_tag("abc", value),
    "find_member member": lambda proxy, value: proxy.find_member(value, "abc"),
    "add_image_location url": lambda proxy, value: proxy.add_image_location("abc", value),
    "remove_tag tag": lambda proxy, value: proxy.remove_tag("abc", value),
}


def not_refused(call, values, proxy):
    """Return which of *values* a call does not refuse by InvalidRequest."""
    left = []
    for value in values:
        try:
            call(proxy, value)
        except exceptions.InvalidRequest:
            continue
        except Exception as error:
            left.append((value, error))
        else:
            left.append((value, None))
    return left


@pytest.mark.parametrize("call", IMAGE_CALLS)
def test_what_is_no_image(call, proxy, stub):
    """What is neither an ID nor an image is refused before anything is sent, in one clear error."""
    assert not_refused(IMAGE_CALLS[call], BAD_IDS, proxy) == []
    assert stub.requests == []


@pytest.mark.parametrize("call", OTHER_CALLS)
def test_what_is_no_text(call, proxy, stub):
    """An empty text, and what is no text, is refused before anything is sent."""
    assert not_refused(OTHER_CALLS[call], [*BAD_IDS[:-1], Image.existing(id="abc")], proxy) == []
    assert stub.requests == []


@pytest.mark.parametrize(
    "changes", [None, "name=x", 5, ["name"], [{"op": "add"}, 1], {"x": object()}, {"x": float("nan")}]
)
def test_what_is_no_change(changes, proxy, stub):
    """What is neither a list of operations nor a mapping that JSON can hold is refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest):
        proxy.update_image("abc", changes)

    assert stub.requests == []


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, float("inf"), [object()]])
def test_what_json_cannot_hold(value, proxy, stub):
    """An attribute that JSON cannot hold is refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest, match="cannot be sent as JSON"):
        proxy.create_image(name=value)

    assert stub.requests == []


@pytest.mark.parametrize("data", [None, 5, object(), "/no/such/file", "/", "", "x\0y", "~nobody-of-that-name/x"])
def test_what_is_no_data(data, proxy, stub):
    """What cannot be read as an image is refused before anything is sent, by upload and by create alike."""
    with pytest.raises(exceptions.InvalidRequest):
        proxy.upload_image("abc", data)
    if data is not None:
        with pytest.raises(exceptions.InvalidRequest):
            proxy.create_image(name="x", data=data)

    assert stub.requests == []


@pytest.mark.parametrize("output", [5, object(), "/", "/no/such/folder/x", "", "x\0y", "~nobody-of-that-name/x"])
def test_what_is_no_output(output, proxy, stub):
    """What cannot be written to is refused before anything is sent."""
    with pytest.raises(exceptions.InvalidRequest):
        proxy.download_image("abc", output=output)

    assert stub.requests == []


@pytest.mark.parametrize("announced", ["sha512", 5, ["os_hash_algo"], [("os_hash_algo", "sha512")]])
def test_what_is_no_validation_data(announced, proxy, stub):
    """The hash that data must have is a mapping."""
    with pytest.raises(exceptions.InvalidRequest, match="validation_data"):
        proxy.add_image_location("abc", "http://images.example/x", validation_data=announced)

    assert stub.requests == []
