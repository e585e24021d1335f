"""
Uses a cloud's image service with openstacksdk, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import json
import sys
import tempfile
from pathlib import Path

import openstack
from openstack import exceptions

TASK = json.load(sys.stdin)
DATA = b"0123456789abcdef" * 100_000


def connect(identity):
    """Return the image proxy of openstacksdk for one of the task's logins."""
    login = TASK["logins"][identity]
    auth = dict(login["auth"])
    if "endpoint" in auth:
        # With a bare token there is no catalog, and openstacksdk discovers nothing.
        auth["endpoint"] += "/v2"
    cloud = openstack.connect(load_yaml_config=False, load_envvars=False, **{**login, "auth": auth})
    return cloud.image


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
    yield "found by name", image.find_image("sdk disk").id == made.id
    yield "found by ID", image.find_image(made.id).id == made.id
    yield "not found", image.find_image("no such disk")

    target = folder / "out.raw"
    with target.open("wb") as file:
        image.download_image(made.id, output=file, stream=True)
    yield "downloaded", target.read_bytes() == DATA

    changed = image.update_image(made.id, name="sdk renamed", min_ram=128, os_version="13")
    yield "updated", [changed.name, changed.min_ram, changed.os_version]

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
    image.update_image(made.id, is_protected=False)
    image.delete_image(made.id)
    yield "deleted", error_of(image.get_image, made.id)


def upload_apart(image):
    """Make an image first, give it bytes later."""
    made = image.create_image("sdk later", disk_format="raw", container_format="bare", allow_duplicates=True)
    yield "queued", image.get_image(made.id).status
    made.data = DATA
    made.upload(image)
    yield "uploaded", image.get_image(made.id).checksum
    image.delete_image(made.id)


def pages(image):
    """A listing of more than one page."""
    made = [image.create_image(f"sdk page {number}", tags=["sdk-page"], allow_duplicates=True) for number in range(5)]
    listed = image.images(tag="sdk-page", limit=2, sort_key="name", sort_dir="asc")
    yield "pages", [listed.name for listed in listed]
    for each in made:
        image.delete_image(each)


def sharing(image):
    """Two projects share an image."""
    guest, guest_id = connect("other"), TASK["guest_id"]
    made = image.create_image("sdk shared", allow_duplicates=True)
    member = image.add_member(made, member_id=guest_id)
    yield "invited", [member.status, member.member_id == guest_id]
    yield "listed before", [listed.name for listed in guest.images(name="sdk shared")]
    yield "accepted", guest.update_member(guest_id, made.id, status="accepted").status
    yield "listed after", [listed.name for listed in guest.images(name="sdk shared")]
    yield "members", [member.status for member in image.members(made)]
    yield "one member", image.get_member(guest_id, made).status
    image.remove_member(guest_id, made)
    yield "gone for the guest", error_of(guest.get_image, made.id)
    image.delete_image(made)


def schemas(image):
    """The documents that describe the API."""
    yield "schema", image.get_image_schema().name
    yield "images schema", image.get_images_schema().name
    yield "member schema", image.get_member_schema().name
    yield "namespace schema", image.get_metadef_namespace_schema().name


def main():
    """Do everything, print the facts."""
    image = connect("member")
    with tempfile.TemporaryDirectory() as folder:
        facts = dict(life(image, Path(folder)))
    for part in (upload_apart, pages, sharing, schemas):
        facts.update(part(image))
    json.dump(facts, sys.stdout)


main()
