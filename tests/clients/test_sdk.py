"""The SDK's calls on images, against the embedded service and a real Glance alike."""

from __future__ import annotations

import uuid

import pytest
from clouds import Cloud, NewImage

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image


@pytest.fixture
def name() -> str:
    """A name that no other image has."""
    return f"image {uuid.uuid4()}"


# --- create and get -----------------------------------------------------------------------------------------


def test_create_image_returns_what_the_cloud_made_of_it(cloud: Cloud, new_image: NewImage, name: str) -> None:
    """create_image() returns the queued image with the cloud's ID, defaults and owner."""
    image = new_image(name=name, disk_format="raw", container_format="bare", min_disk=1, min_ram=64)

    assert isinstance(image, Image)
    assert uuid.UUID(image.id)
    assert (image.name, image.image_status, image.visibility) == (name, "queued", "shared")
    assert (image.disk_format, image.container_format) == ("raw", "bare")
    assert (image.min_disk, image.min_ram, image.protected, image.tags) == (1, 64, False, [])
    assert image.owner == cloud.project_id("member")
    assert image.size is None
    assert image.checksum is None
    assert image.file == f"/v2/images/{image.id}/file"
    assert image.created_at.endswith("Z")
    assert image.updated_at.endswith("Z")


def test_create_image_without_arguments(new_image: NewImage) -> None:
    """Every attribute is optional, as in the API."""
    image = new_image()

    assert image.name is None
    assert image.disk_format is None


def test_create_image_with_chosen_id(proxy: Proxy, new_image: NewImage) -> None:
    """The caller may choose the ID; a second image with it is a conflict."""
    wanted = str(uuid.uuid4())

    assert new_image(id=wanted).id == wanted
    with pytest.raises(exceptions.ConflictException):
        proxy.create_image(id=wanted)


def test_create_image_sends_unknown_properties(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """What the Image class does not know is sent as it is, and comes back as an item and in properties."""
    sent = {"os_distro": "debian", ".os.type": "linux", ".official": "a/b~c", "größe": "groß"}
    created = new_image(name=name, **sent)

    for image in (created, proxy.get_image(created.id)):
        assert {key: image[key] for key in sent} == sent
        assert {key: image.properties[key] for key in sent} == sent
        assert image["name"] == name
        assert "name" not in image.properties


def test_create_image_sends_dotted_attributes(proxy: Proxy, new_image: NewImage) -> None:
    """os_type and service_type are the properties .os.type and .service.type."""
    image = proxy.get_image(new_image(os_type="linux", service_type="virtual-server").id)

    assert (image[".os.type"], image[".service.type"]) == ("linux", "virtual-server")
    assert (image.os_type, image.service_type) == ("linux", "virtual-server")


def test_create_image_with_tags(new_image: NewImage) -> None:
    """Tags may be given at once."""
    assert sorted(new_image(tags=["a", "b c"]).tags) == ["a", "b c"]


@pytest.mark.parametrize(
    ("attrs", "error"),
    [
        ({"disk_format": "floppy"}, exceptions.BadRequestException),
        ({"min_ram": -1}, exceptions.BadRequestException),
        ({"name": "n" * 256}, exceptions.BadRequestException),
        ({"visibility": "public"}, exceptions.ForbiddenException),
        ({"owner": "b" * 32}, exceptions.ForbiddenException),
        ({"os_glance_secret": "x"}, exceptions.ForbiddenException),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_create_image_refused(proxy: Proxy, attrs: dict[str, object], error: type[Exception]) -> None:
    """What the cloud refuses is an error with its words, and no image."""
    with pytest.raises(error) as caught:
        proxy.create_image(**attrs)

    assert isinstance(caught.value, exceptions.HttpException)
    assert caught.value.message
    assert "<" not in caught.value.message


def test_get_image_by_id_and_by_image(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """get_image() takes an ID or an Image."""
    image = new_image(name=name)

    assert proxy.get_image(image.id).name == name
    assert proxy.get_image(image).id == image.id


def test_get_image_missing(proxy: Proxy) -> None:
    """A missing image is ResourceNotFound, which tells the whole story of the request."""
    missing = str(uuid.uuid4())

    with pytest.raises(exceptions.ResourceNotFound, match=missing) as caught:
        proxy.get_image(missing)

    error = caught.value
    assert (error.http_status, error.method) == (404, "GET")
    assert error.url is not None
    assert error.url.endswith(f"/v2/images/{missing}")
    assert error.request_id is not None
    assert error.request_id.startswith("req-")


def test_get_image_of_another_project(cloud: Cloud, new_image: NewImage) -> None:
    """Another project's private image does not exist for the caller."""
    image = new_image(visibility="private")

    with pytest.raises(exceptions.ResourceNotFound):
        cloud.connect("other").get_image(image.id)


# --- find ---------------------------------------------------------------------------------------------------


def test_find_image_by_id(proxy: Proxy, new_image: NewImage) -> None:
    """find_image() takes an ID."""
    image = new_image()

    found = proxy.find_image(image.id)

    assert found is not None
    assert found.id == image.id


@pytest.mark.parametrize("suffix", ["", " with space", "/slash", "?query", ":colon", ",comma", ' "quote"', "%2F", "ü"])
def test_find_image_by_name(proxy: Proxy, new_image: NewImage, name: str, suffix: str) -> None:
    """find_image() takes a name, whatever characters it has."""
    image = new_image(name=name + suffix)
    new_image(name=name + suffix + " longer")

    found = proxy.find_image(name + suffix)

    assert found is not None
    assert found.id == image.id


def test_find_image_duplicate(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """Two images of one name are DuplicateResource; each is still found by its ID."""
    first, second = new_image(name=name), new_image(name=name)

    with pytest.raises(exceptions.DuplicateResource, match=name):
        proxy.find_image(name)
    for image in (first, second):
        found = proxy.find_image(image.id)
        assert found is not None
        assert found.id == image.id


def test_find_newest_image(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """Of several images with one name, newest=True finds one of those that no other is younger than."""
    for _ in range(2):
        new_image(name=name)

    found = proxy.find_image(name, False, newest=True)

    assert found.created_at == max(image.created_at or "" for image in proxy.images(name=name))


def test_find_hidden_image(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """A hidden image is found, too, unless another one has its name."""
    hidden = new_image(name=name, os_hidden=True)

    assert proxy.find_image(name, hidden=False) is None
    assert proxy.find_image(name, False).id == hidden.id
    shown = new_image(name=name)
    assert proxy.find_image(name, False).id == shown.id


def test_images_named(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """images_named() yields those of exactly one name, whatever operator it looks like."""
    odd = f"in:{name},x"
    wanted = {new_image(name=odd).id for _ in range(2)}
    new_image(name=name)

    found = list(proxy.images_named(odd))

    assert {image.id for image in found} == wanted
    assert [image.created_at for image in found] == sorted((image.created_at or "" for image in found), reverse=True)


def test_find_image_missing(proxy: Proxy, name: str) -> None:
    """A missing name is None, or ResourceNotFound if asked for."""
    assert proxy.find_image(name) is None
    with pytest.raises(exceptions.ResourceNotFound, match=name):
        proxy.find_image(name, ignore_missing=False)


# --- update -------------------------------------------------------------------------------------------------


def test_update_image_by_patch(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """update_image() takes the documented list of JSON-patch operations and returns the image."""
    image = new_image(name="before", old="x", kept="y")

    updated = proxy.update_image(
        image.id,
        [
            {"op": "replace", "path": "/name", "value": name},
            {"op": "add", "path": "/.os.type", "value": "linux"},
            {"op": "remove", "path": "/old"},
            {"op": "replace", "path": "/tags", "value": ["one"]},
        ],
    )

    for seen in (updated, proxy.get_image(image.id)):
        assert isinstance(seen, Image)
        assert (seen.id, seen.name, seen.tags, seen.os_type) == (image.id, name, ["one"], "linux")
        assert seen["kept"] == "y"
        assert "old" not in seen


def test_update_image_by_dict(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """A dict of attributes becomes the patch; names with slash and tilde too."""
    image = new_image(name="before", there="x")
    changes = {"name": name, "min_ram": 512, "there": "y", "new/er~": "z", ".os.type": "linux"}

    updated = proxy.update_image(image.id, changes)

    for seen in (updated, proxy.get_image(image.id)):
        assert {key: seen[key] for key in changes} == changes


def test_update_image_by_dict_has_names_of_the_wire(proxy: Proxy, new_image: NewImage) -> None:
    """os_type in a dict is the property os_type, and the attribute reads it."""
    updated = proxy.update_image(new_image().id, {"os_type": "windows"})

    assert updated.properties == {"os_type": "windows"}
    assert updated.os_type == "windows"


def test_update_image_takes_an_image(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """An Image may stand for its ID, as in every method."""
    assert proxy.update_image(new_image(), {"name": name}).name == name


def test_update_image_of_nothing(proxy: Proxy, new_image: NewImage, name: str) -> None:
    """An empty list of operations changes nothing and returns the image."""
    assert proxy.update_image(new_image(name=name).id, []).name == name


@pytest.mark.parametrize(
    ("path", "error"),
    [("/id", exceptions.ForbiddenException), ("/absent", exceptions.ConflictException)],
)
def test_update_image_refused(proxy: Proxy, new_image: NewImage, path: str, error: type[Exception]) -> None:
    """What the cloud refuses raises by its status, and nothing of the patch is done."""
    image = new_image(name="before")
    patch = [
        {"op": "replace", "path": "/name", "value": "after"},
        {"op": "replace", "path": path, "value": "x"},
    ]

    with pytest.raises(error):
        proxy.update_image(image.id, patch)

    assert proxy.get_image(image.id).name == "before"


def test_update_image_missing(proxy: Proxy) -> None:
    """Changing a missing image is ResourceNotFound."""
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.update_image(str(uuid.uuid4()), [{"op": "replace", "path": "/name", "value": "x"}])


def test_update_image_as_reader(cloud: Cloud, new_image: NewImage) -> None:
    """A reader sees an image but may not change it."""
    image = new_image()
    reader = cloud.connect("reader")

    assert reader.get_image(image.id).id == image.id
    with pytest.raises(exceptions.ForbiddenException):
        reader.update_image(image.id, {"name": "x"})


# --- delete -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_image", [False, True])
def test_delete_image(proxy: Proxy, as_image: bool) -> None:
    """delete_image() takes an ID or an Image; the image is gone then."""
    image = proxy.create_image()

    assert proxy.delete_image(image if as_image else image.id) is None

    with pytest.raises(exceptions.ResourceNotFound):
        proxy.get_image(image.id)


def test_delete_image_missing(proxy: Proxy) -> None:
    """Deleting a missing image is no error, unless asked for."""
    missing = str(uuid.uuid4())

    assert proxy.delete_image(missing) is None
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.delete_image(missing, ignore_missing=False)


def test_delete_image_protected(proxy: Proxy, new_image: NewImage) -> None:
    """A protected image stays; the error says why."""
    image = new_image(protected=True)

    with pytest.raises(exceptions.ForbiddenException, match="protected"):
        proxy.delete_image(image.id)

    assert proxy.get_image(image.id).protected is True


# --- tags ---------------------------------------------------------------------------------------------------

ODD_TAGS = [
    "plain",
    "two words",
    "a,b",
    "50%",
    "%41",
    "a+b",
    "k:v",
    "?q=1&r",
    "#1",
    "a;b",
    "a/b",
    ".",
    "..",
    "...",
    "~",
    "größe",
    '"',
    "'",
]


@pytest.mark.parametrize("tag", ODD_TAGS)
def test_tags(proxy: Proxy, new_image: NewImage, tag: str) -> None:
    """add_tag() and delete_tag() work for every text, whatever it would mean in a URL."""
    image = new_image(tags=["other"])

    assert proxy.add_tag(image.id, tag) is None
    assert sorted(proxy.get_image(image.id).tags) == sorted(["other", tag])
    assert [found.id for found in proxy.images(tag=tag) if found.id == image.id] == [image.id]

    assert proxy.delete_tag(image.id, tag) is None
    assert proxy.get_image(image.id).tags == ["other"]


def test_tags_of_an_image_object(proxy: Proxy, new_image: NewImage) -> None:
    """Tag methods take an Image too; remove_tag() is delete_tag() by its other name."""
    image = new_image()

    proxy.add_tag(image, "a")
    proxy.add_tag(image, "b")
    proxy.add_tag(image, "b")
    proxy.remove_tag(image, "a")

    assert proxy.get_image(image).tags == ["b"]


def test_tags_missing(proxy: Proxy, new_image: NewImage) -> None:
    """Removing a tag that is not there, or tagging a missing image, is ResourceNotFound."""
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.delete_tag(new_image().id, "absent")
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.add_tag(str(uuid.uuid4()), "tag")


# --- an image as its owner and others see it ----------------------------------------------------------------


def test_public_image(cloud: Cloud, proxy: Proxy) -> None:
    """What an admin makes public, everybody finds, and nobody else may change."""
    admin, other = cloud.connect("admin"), cloud.connect("other")
    image = admin.create_image(name=f"public {uuid.uuid4()}", visibility="public")
    try:
        found = other.find_image(image.name)
        assert found is not None
        assert found.id == image.id
        with pytest.raises(exceptions.ForbiddenException):
            other.update_image(image.id, {"name": "mine"})
    finally:
        admin.delete_image(image.id)


def test_hidden_image(proxy: Proxy, new_image: NewImage) -> None:
    """A hidden image is listed only where hidden ones are asked for, and found by its ID."""
    tag = f"hidden-{uuid.uuid4()}"
    image = new_image(os_hidden=True, tags=[tag])

    assert list(proxy.images(tag=tag)) == []
    assert [found.id for found in proxy.images(tag=tag, os_hidden=True)] == [image.id]
    assert proxy.get_image(image.id)["os_hidden"] is True
