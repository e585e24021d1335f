"""Listing images by the SDK, against the embedded service and a real Glance alike."""

from __future__ import annotations

import inspect
import uuid

import pytest
from clouds import Cloud, NewImage

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image


@pytest.fixture
def five(new_image: NewImage) -> tuple[str, list[str]]:
    """A tag, and the IDs of the five images that have it, by name."""
    tag = f"tag-{uuid.uuid4()}"
    names = [f"{tag} {letter}" for letter in "abcde"]
    return tag, [new_image(name=name, tags=[tag], os_distro=name[-1]).id for name in names]


def test_images_is_a_generator(proxy: Proxy, five: tuple[str, list[str]]) -> None:
    """images() is a generator of Image objects, with all their properties."""
    tag, ids = five

    images = proxy.images(tag=tag)

    assert inspect.isgenerator(images)
    listed = list(images)
    assert all(isinstance(image, Image) for image in listed)
    assert {image.id for image in listed} == set(ids)
    assert {image["os_distro"] for image in listed} == set("abcde")


@pytest.mark.parametrize("page_size", [1, 2, 3, 5, 6])
def test_images_follows_pages(proxy: Proxy, five: tuple[str, list[str]], page_size: int) -> None:
    """page_size sets how many come with a request; all come in the end, in order and once."""
    tag, ids = five

    listed = [image.id for image in proxy.images(tag=tag, sort="name:asc", page_size=page_size)]

    assert listed == ids


@pytest.mark.parametrize(("limit", "page_size"), [(1, None), (3, None), (3, 2), (5, 2), (9, 2)])
def test_images_limit(proxy: Proxy, five: tuple[str, list[str]], limit: int, page_size: int | None) -> None:
    """Limit is the most images that come at all, not of a page."""
    tag, ids = five
    query = {} if page_size is None else {"page_size": page_size}

    listed = [image.id for image in proxy.images(tag=tag, sort="name:asc", limit=limit, **query)]

    assert listed == ids[:limit]


def test_images_marker(proxy: Proxy, five: tuple[str, list[str]]) -> None:
    """A listing can begin after an image."""
    tag, ids = five

    assert [image.id for image in proxy.images(tag=tag, sort="name:asc", marker=ids[1])] == ids[2:]


def test_images_sort_key_and_dir(proxy: Proxy, five: tuple[str, list[str]]) -> None:
    """The classic pair of sort parameters works, over pages too."""
    tag, ids = five

    listed = proxy.images(tag=tag, sort_key="name", sort_dir="desc", page_size=2)

    assert [image.id for image in listed] == ids[::-1]


def test_images_filters(proxy: Proxy, five: tuple[str, list[str]]) -> None:
    """Filters go to the cloud: by name, status, visibility, own property, and several at once."""
    tag, ids = five

    def listed(**query: str) -> set[str]:
        return {image.id for image in proxy.images(tag=tag, **query)}

    assert listed(name=f"{tag} c") == {ids[2]}
    assert listed(name=f"in:{tag} a,{tag} b") == set(ids[:2])
    assert listed(status="queued") == set(ids)
    assert listed(status="active") == set()
    assert listed(visibility="shared") == set(ids)
    assert listed(visibility="private") == set()
    assert listed(os_distro="d") == {ids[3]}
    assert listed(os_distro="d", name=f"{tag} c") == set()


def test_images_several_tags(proxy: Proxy, five: tuple[str, list[str]], new_image: NewImage) -> None:
    """A list of tags asks for images that have them all, on every page."""
    tag, _ = five
    both = {new_image(tags=[tag, "second tag"]).id for _ in range(3)}

    listed = [image.id for image in proxy.images(tag=[tag, "second tag"], page_size=3)]

    assert set(listed) == both
    assert len(listed) == 3


def test_images_bad_filter(proxy: Proxy) -> None:
    """A filter that the cloud refuses is its 400."""
    with pytest.raises(exceptions.BadRequestException):
        list(proxy.images(visibility="nonsense"))


def test_images_of_other_projects_are_absent(cloud: Cloud, five: tuple[str, list[str]]) -> None:
    """A listing has what the caller may see, no more."""
    tag, ids = five

    assert list(cloud.connect("other").images(tag=tag)) == []
    assert {image.id for image in cloud.connect("reader").images(tag=tag)} == set(ids)
    assert {image.id for image in cloud.connect("admin").images(tag=tag)} == set(ids)


@pytest.fixture
def mixed(proxy: Proxy, new_image: NewImage) -> tuple[str, set[str | None]]:
    """A tag, and the IDs of nine images that have it: some have data, a name and formats, and some have none."""
    tag = f"tag-{uuid.uuid4()}"
    ids = set()
    for number in range(9):
        attrs: dict[str, object] = {"tags": [tag]}
        if number % 3:
            attrs |= {"name": f"image {9 - number}", "disk_format": "raw", "container_format": "bare"}
        image = new_image(**attrs)
        if number % 3:
            proxy.upload_image(image, b"x" * (10 * number))
        ids.add(image.id)
    return tag, ids


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["name", "size", "disk_format", "container_format", "status", "updated_at"])
@pytest.mark.parametrize("page_size", [2, 4, 9])
def test_images_sorted_by_what_some_lack(
    proxy: Proxy, mixed: tuple[str, set[str | None]], key: str, direction: str, page_size: int
) -> None:
    """Sorted by anything that some images lack, each image is listed once, in order, whatever the size of a page."""
    tag, ids = mixed

    listed = list(proxy.images(tag=tag, sort=f"{key}:{direction}", page_size=page_size))

    assert sorted(image.id or "" for image in listed) == sorted(image_id or "" for image_id in ids)
    values = [image[key] for image in listed if image[key] is not None]
    assert values == sorted(values, reverse=direction == "desc")
    gaps = [index for index, image in enumerate(listed) if image[key] is None]
    assert not gaps or gaps[-1] - gaps[0] == len(gaps) - 1
    assert not gaps or gaps[0] == 0 or gaps[-1] == 8


@pytest.mark.parametrize("limit", [3, 7])
def test_limit_of_images_sorted_by_what_some_lack(proxy: Proxy, mixed: tuple[str, set[str | None]], limit: int) -> None:
    """As many as are asked for come, where there are as many."""
    tag, _ = mixed

    listed = [image.id for image in proxy.images(tag=tag, sort="size:asc", page_size=2, limit=limit)]

    assert len(set(listed)) == len(listed) == limit
