"""
Uses a cloud's image service with python-glanceclient's library, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import io
import json
import sys

from glanceclient import exc
from glanceclient.v2.client import Client
from keystoneauth1 import loading, session

TASK = json.load(sys.stdin)
DATA = b"0123456789abcdef" * 100_000


def connect(identity):
    """Return the client for one of the task's logins."""
    login = TASK["logins"][identity]
    plugin = loading.get_plugin_loader(login["auth_type"]).load_from_options(**login["auth"])
    region = login.get("region_name")
    return Client(session=session.Session(auth=plugin), region_name=region, service_type="image", interface="public")


def error_of(call, *args, **kwargs):
    """Return the name of the exception that a call raises."""
    try:
        call(*args, **kwargs)
    except (exc.HTTPException, TypeError) as error:
        return type(error).__name__
    return None


def life(client):
    """One image from its making to its end."""
    made = client.images.create(
        name="gc disk", disk_format="raw", container_format="bare", os_distro="debian", visibility="private"
    )
    yield "created", [made.status, made.os_distro, made.visibility]
    client.images.upload(made.id, io.BytesIO(DATA))
    shown = client.images.get(made.id)
    yield "uploaded", [shown.status, shown.size, shown.checksum, shown.os_hash_algo]
    # By another client: a server may close the connection of an upload that it refused.
    yield "uploaded twice", error_of(connect("member").images.upload, made.id, io.BytesIO(DATA))
    yield "downloaded", b"".join(client.images.data(made.id)) == DATA

    changed = client.images.update(made.id, remove_props=["os_distro"], name="gc renamed", min_ram=128, extra="1")
    yield "updated", [changed.name, changed.min_ram, changed.extra, "os_distro" in changed]

    client.image_tags.update(made.id, "first")
    client.image_tags.update(made.id, "two words")
    client.image_tags.delete(made.id, "first")
    yield "tags", client.images.get(made.id).tags
    yield "listed by tag", [listed.name for listed in client.images.list(filters={"tag": ["two words"]})]

    client.images.deactivate(made.id)
    yield "deactivated", client.images.get(made.id).status
    client.images.reactivate(made.id)
    yield "reactivated", client.images.get(made.id).status

    client.images.update(made.id, protected=True)
    yield "delete of protected", error_of(client.images.delete, made.id)
    client.images.update(made.id, protected=False)
    client.images.delete(made.id)
    yield "deleted", error_of(client.images.get, made.id)
    yield "bad value", error_of(client.images.create, name="n", id="no-uuid")


def no_data(client):
    """An image that waits for its bytes has none."""
    made = client.images.create(name="gc empty")
    yield "data of queued", client.images.data(made.id).wrapped is None
    client.images.delete(made.id)


def pages(client):
    """A listing of more than one page."""
    made = [client.images.create(name=f"gc page {number}", tags=["gc-page"]) for number in range(5)]
    listed = client.images.list(page_size=2, filters={"tag": ["gc-page"]}, sort_key=["name"], sort_dir=["asc"])
    yield "pages", [listed.name for listed in listed]
    limited = client.images.list(page_size=2, limit=3, filters={"tag": ["gc-page"]}, sort="name:asc")
    yield "limited", [listed.name for listed in limited]
    for each in made:
        client.images.delete(each.id)


def sharing(client):
    """Two projects share an image."""
    guest, guest_id = connect("other"), TASK["guest_id"]
    made = client.images.create(name="gc shared")
    member = client.image_members.create(made.id, guest_id)
    yield "invited", [member.status, member.member_id == guest_id]
    yield "accepted", guest.image_members.update(made.id, guest_id, "accepted").status
    yield "listed after", [listed.name for listed in guest.images.list(filters={"name": "gc shared"})]
    yield "members", [member.status for member in client.image_members.list(made.id)]
    yield "one member", client.image_members.get(made.id, guest_id).status
    client.image_members.delete(made.id, guest_id)
    yield "gone for the guest", error_of(guest.images.get, made.id)
    client.images.delete(made.id)


def schemas(client):
    """The documents that describe the API."""
    yield "schema", client.schemas.get("image").name
    yield "namespace schema", client.schemas.get("metadefs/namespace").name


def main():
    """Do everything, print the facts."""
    client = connect("member")
    facts = {}
    for part in (life, no_data, pages, sharing, schemas):
        facts.update(part(client))
    json.dump(facts, sys.stdout)


main()
