"""Images, their members and tags, schemas and the cache, by openstacksdk."""

import tempfile
from pathlib import Path

from openstack import exceptions
from openstack.image.v2._proxy import Proxy

DATA = b"0123456789abcdef" * 100_000


def facts(users, task):
    """Yield what there was to see."""
    image = users["member"]
    with tempfile.TemporaryDirectory() as folder:
        yield from life(image, Path(folder))
    yield from upload_apart(image)
    yield from pages(image)
    yield from sharing(image, users["other"], task["guest_id"])
    yield from schemas(image)
    made = image.create_image("sdk cached", allow_duplicates=True)
    yield "cache for an administrator", cache(users["admin"], made.id)
    yield "cache for a member", cache(image, made.id)
    image.delete_image(made)


def error_of(call, *args, **kwargs):
    """Return the name of the exception that a call raises."""
    try:
        call(*args, **kwargs)
    except exceptions.SDKException as exc:
        return type(exc).__name__
    return None


def life(image, folder):
    """One image from its making to its end."""
    source = folder / "disk.raw"
    source.write_bytes(DATA)
    made = image.create_image(
        "sdk disk", filename=str(source), disk_format="raw", container_format="bare", wait=True, os_distro="debian"
    )
    shown = image.get_image(made.id)
    yield "created", [shown.status, shown.size, shown.hash_algo, shown.os_distro]
    yield "waited for", image.wait_for_status(shown, "active").id == made.id
    yield "found by name", image.find_image("sdk disk").id == made.id
    yield "found by ID", image.find_image(made.id).id == made.id
    yield "not found", image.find_image("no such disk")

    target = folder / "out.raw"
    with target.open("wb") as file:
        image.download_image(made.id, output=file, stream=True)
    yield "downloaded", target.read_bytes() == DATA

    changed = image.update_image(made.id, name="sdk renamed", min_ram=128, os_version="13")
    yield "updated", [changed.name, changed.min_ram, changed.os_version]
    image.update_image_properties(image.get_image(made.id), hw_disk_bus="scsi", min_disk=1)
    changed = image.get_image(made.id)
    yield "properties updated", [changed.hw_disk_bus, changed.min_disk, changed.os_version]

    image.add_tag(made.id, "first")
    image.add_tag(made.id, "second")
    image.remove_tag(made.id, "first")
    yield "tags", image.get_image(made.id).tags
    yield "listed by tag", [listed.name for listed in image.images(tag="second")]

    image.deactivate_image(made.id)
    yield "deactivated", image.get_image(made.id).status
    yield "download of deactivated refused", error_of(image.download_image, made.id) is not None
    image.reactivate_image(made.id)
    yield "reactivated", image.get_image(made.id).status

    image.update_image(made.id, is_protected=True)
    yield "delete of protected", error_of(image.delete_image, made.id)
    gone = image.update_image(made.id, is_protected=False)
    image.delete_image(made.id)
    image.wait_for_delete(gone, wait=10)
    yield "deleted", error_of(image.get_image, made.id)


def upload_apart(image):
    """Make an image first, give it bytes later: that is how the deprecated verb does it."""
    made = image.upload_image(name="sdk later", disk_format="raw", container_format="bare", data=DATA)
    yield "made without bytes", made.status
    yield "uploaded", image.get_image(made.id).checksum
    image.delete_image(made.id)


def pages(image):
    """A listing of more than one page."""
    made = [image.create_image(f"sdk page {number}", tags=["sdk-page"], allow_duplicates=True) for number in range(5)]
    listed = image.images(tag="sdk-page", limit=2, sort_key="name", sort_dir="asc")
    yield "pages", [listed.name for listed in listed]
    for each in made:
        image.delete_image(each)


def sharing(image, guest, guest_id):
    """Two projects share an image."""
    made = image.create_image("sdk shared", allow_duplicates=True)
    member = image.add_member(made, member_id=guest_id)
    yield "invited", [member.status, member.member_id == guest_id]
    yield "listed before", [listed.name for listed in guest.images(name="sdk shared")]
    yield "accepted", guest.update_member(guest_id, made.id, status="accepted").status
    yield "listed after", [listed.name for listed in guest.images(name="sdk shared")]
    yield "members", [member.status for member in image.members(made)]
    yield "one member", image.get_member(guest_id, made).status
    yield "member found", image.find_member(guest_id, made).status
    image.remove_member(guest_id, made)
    yield "gone for the guest", error_of(guest.get_image, made.id)
    image.delete_image(made)


def schemas(image):
    """The documents that describe the API, each by its own method."""
    names = sorted(name for name in dir(Proxy) if name.endswith("_schema"))
    yield "schemas", {name: getattr(image, name)().name for name in names}


def cache(user, image_id):
    """There is no cache, and only an administrator is told so."""
    return {
        "get": error_of(user.get_image_cache),
        "queue": error_of(user.queue_image, image_id),
        "delete": error_of(user.cache_delete_image, image_id, ignore_missing=False),
        "clear": error_of(user.clear_cache, "queue"),
        "nodes": error_of(user.cached_image_nodes, image_id),
        "clean": error_of(user.clean_cache),
        "prune": error_of(user.prune_cache),
    }
