"""
Uses a cloud's image service with eclsdk 1.11 (under Python 3.8), and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import json
import sys
import time

from ecl import connection, exceptions, profile

TASK = json.load(sys.stdin)
DATA = b"0123456789abcdef" * 100_000


def connect(identity):
    """Return eclsdk's image proxy for one of the task's logins."""
    login = TASK["logins"][identity]
    chosen = profile.Profile()
    if "region_name" in login:
        chosen.set_region(profile.Profile.ALL, login["region_name"])
    return connection.Connection(profile=chosen, auth_plugin=login["auth_type"], **login["auth"]).image


def status_of(call, *args, **kwargs):
    """Return the HTTP status with which a call fails."""
    try:
        call(*args, **kwargs)
    except exceptions.HttpException as error:
        return error.http_status
    return None


def life(image):
    """One image from its making to its end."""
    made = image.create_image(
        name="ecl disk", disk_format="raw", container_format="bare", os_type="linux", service_type="virtual-server"
    )
    yield "created", [made.image_status, made.visibility, made.os_type, made.service_type]
    yield "uploaded", image.upload_image(made.id, DATA) is not None
    shown = image.get_image(made.id)
    yield "active", [shown.image_status, shown.size, shown.checksum]
    yield "found by name", image.find_image("ecl disk").id == made.id
    yield "found by ID", image.find_image(made.id).id == made.id
    yield "not found", image.find_image("no such disk", ignore_missing=True)
    yield "downloaded", image.download_image(made.id) == DATA

    changed = image.update_image(made.id, [{"op": "replace", "path": "/name", "value": "ecl renamed"}])
    yield "updated", changed.name
    image.add_tag(made.id, "first")
    image.add_tag(made.id, "second")
    image.delete_tag(made.id, "first")
    yield "tags", image.get_image(made.id).tags
    yield "listed", [listed.name for listed in image.images(tag="second")]

    image.delete_image(made.id)
    yield "deleted", status_of(image.get_image, made.id)
    yield "deleted again", status_of(image.delete_image, made.id)


def limited(image):
    """With eclsdk a limit is one page, and no second one follows."""
    made = [image.create_image(name=f"ecl page {number}", tags=["ecl-page"]) for number in range(5)]
    listed = image.images(tag="ecl-page", limit=2, sort_key="name", sort_dir="asc")
    yield "limited", [listed.name for listed in listed]
    for each in made:
        image.delete_image(each.id)


def sharing(image):
    """Two projects share an image."""
    guest, guest_id = connect("other"), TASK["guest_id"]
    made = image.create_image(name="ecl shared")
    member = image.create_member(made.id, member=guest_id)
    yield "invited", [member.status, member.member_id == guest_id]
    yield "accepted", guest.update_member(made.id, guest_id, "accepted").status
    yield "listed after", [listed.name for listed in guest.images(name="ecl shared")]
    try:
        yield "members", [member.status for member in image.members(made.id)]
    except KeyError as error:
        # eclsdk looks for a key that Glance's members do not have.
        yield "members", f"no key {error}"
    yield "one member", image.get_member(made.id, guest_id).status
    image.delete_member(made.id, guest_id)
    yield "gone for the guest", status_of(guest.get_image, made.id)
    image.delete_image(made.id)


def schemas(image):
    """The documents that describe the API."""
    names = ("image", "images", "image_member", "metadata_namespace")
    names += ("metadata_object", "metadata_property", "metadata_resource_type")
    yield "schemas", [getattr(image, f"get_{name}_schema")().name for name in names]


def licenses(image):
    """The licence switch types of the region."""
    yield "licenses", list(image.licenses().license_switch_types)


def copy(image):
    """Copy an image to a tenant of another region, and wait for it."""
    made = image.create_image(name="ecl copied", disk_format="raw", container_format="bare")
    image.upload_image(made.id, DATA)
    job_id = image.copy_image(made.id, TASK["far_id"]).job_id
    deadline = time.monotonic() + 30
    job = image.get_image_copy_job(job_id)
    while job.status in ("replicate_requested", "replicating") and time.monotonic() < deadline:
        time.sleep(0.1)
        job = image.get_image_copy_job(job_id)
    yield "copied", [job.status, job.copy_progress, job.source_image_id == made.id]
    yield "job listed", job_id in [listed.job_id for listed in image.list_image_copy_jobs()]
    far = connect("far").get_image(job.destination_image_id)
    yield "copy", [far.name, far.image_status, far.size, far.checksum, far.owner == TASK["far_id"]]
    yield "cancel of finished", status_of(image.cancel_copy_image, job_id)
    image.delete_image(made.id)
    connect("far").delete_image(far.id)


def main():
    """Do everything that the task asks for, print the facts."""
    image = connect("member")
    facts = {}
    parts = {"plain": (life, limited, sharing, schemas), "ecl": (licenses, copy)}
    for kind in TASK["parts"]:
        for part in parts[kind]:
            facts.update(part(image))
    json.dump(facts, sys.stdout)


main()
