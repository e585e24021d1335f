"""Names of properties are the cloud's: what is sent for them, and that nothing among them is an argument."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image import transfer
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import BASE_ATTRIBUTES, Image
from support.http_stub import Answer

#: What Python calls something, and no cloud does.
NAMES = sorted(
    {
        *vars(Image),
        *inspect.signature(Proxy.create_image).parameters,
        *inspect.signature(transfer.copy).parameters,
        *("cls", "location", "made", "options", "paginated", "properties", "session", "synchronized"),
    }
    - BASE_ATTRIBUTES
)
HERE = {"id": "abc", "status": "queued"}


@pytest.fixture
def answered(stub):
    """A stub that takes and changes any image."""
    stub.on("POST", "/v2/images", Answer.json(HERE, 201))
    stub.on("PATCH", "/v2/images/abc", Answer.json(HERE))
    return stub


def test_keywords_are_attributes(proxy, answered):
    """os_type and service_type as keywords are ECL's .os.type and .service.type."""
    proxy.create_image(os_type="windows", service_type="virtual-server")

    assert answered.last.json == {".os.type": "windows", ".service.type": "virtual-server"}


def test_properties_are_sent_as_they_are_called(proxy, answered):
    """os_type and .os.type in properties are two properties."""
    properties = {"os_type": "windows", ".os.type": "linux", "service_type": "x"}
    proxy.create_image(properties=properties)

    assert answered.last.json == properties


@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_an_argument(proxy, answered, name):
    """A property that is called like an argument or an attribute in Python is created and changed as it is."""
    proxy.create_image(name="n", properties={name: "1"})
    assert answered.last.json == {"name": "n", name: "1"}

    proxy.update_image("abc", {name: "2"})
    proxy.update_image("abc", {"properties": {name: "2"}})

    assert [each.json for each in answered.requests[1:]] == [[{"op": "add", "path": f"/{name}", "value": "2"}]] * 2


def test_keywords_called_like_headers_are_sent(proxy, answered):
    """No header is ever sent, so what is given under the name of one is a property."""
    proxy.create_image(first="1", location="here", images_schema="s")

    assert answered.last.json == {"first": "1", "location": "here", "images_schema": "s"}


def test_data_in_properties_is_no_file(proxy, answered, tmp_path: Path):
    """A property "data" is text, whatever file it may name."""
    (tmp_path / "secret").write_bytes(b"secret")
    proxy.create_image(properties={"data": str(tmp_path / "secret")})

    assert answered.lines == ["POST /v2/images"]
    assert answered.last.json == {"data": str(tmp_path / "secret")}


@pytest.mark.parametrize("name", ["name", "status", "tags", "self"])
def test_attributes_in_properties_are_refused(proxy, answered, name):
    """What is an attribute on the wire cannot be a property; nothing is sent."""
    with pytest.raises(exceptions.InvalidRequest, match=f"'{name}' is an attribute of an image, not a property"):
        proxy.create_image(properties={name: "x"})
    with pytest.raises(exceptions.InvalidRequest, match=f"'{name}' is an attribute"):
        proxy.update_image("abc", {"properties": {name: "x"}})

    assert answered.requests == []


@pytest.mark.parametrize(("attribute", "wire"), [("os_type", ".os.type"), ("service_type", ".service.type")])
def test_attribute_reads_either_property(attribute, wire):
    """ECL's property is read first, and else the plain one; both go when the attribute is deleted."""
    plain = Image.existing(properties={attribute: "plain"})
    both = Image.existing(properties={attribute: "plain", wire: "own"})

    assert (getattr(plain, attribute), getattr(both, attribute)) == ("plain", "own")
    assert getattr(Image(), attribute) is None
    delattr(both, attribute)
    assert (getattr(both, attribute), dict(both)) == (None, {})


def test_attribute_deleted_is_removed_as_the_cloud_has_it(conn, answered):
    """Deleting os_type of an image of another cloud removes the property os_type there."""
    image = Image.existing(id="abc", properties={"os_type": "linux"})
    del image.os_type
    image.update(conn.session)

    assert answered.last.json == [{"op": "remove", "path": "/os_type"}]


def test_filter_by_properties_called_like_arguments(proxy, stub):
    """Images can be listed by a property that is called like an argument of images()."""
    stub.on("GET", "/v2/images", Answer.json({"images": []}))
    properties = {"paginated": "1", "page_size": "2", "session": "3", "os_type": "linux"}
    list(proxy.images(owner="me", properties=properties))

    query = {**{name: [value] for name, value in properties.items()}, "owner": ["me"], "limit": ["1000"]}
    assert stub.last.query == query


def test_filter_by_a_property_that_the_list_means_otherwise(proxy, stub):
    """A property that the API takes for a page or an order cannot be filtered by; nothing is sent."""
    with pytest.raises(exceptions.InvalidRequest, match="cannot be filtered by a property 'limit'"):
        list(proxy.images(properties={"limit": "1"}))

    assert stub.requests == []
