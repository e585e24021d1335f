"""Images, their members and tags, schemas, versions, usage and the cache, by python-glanceclient."""

import io

from glanceclient import exc

DATA = b"0123456789abcdef" * 100_000


def facts(users, task):
    """Yield what there was to see."""
    client = users["member"]
    yield from life(client, users["member again"])
    yield from no_data(client)
    yield from pages(client)
    yield from sharing(client, users["other"], task["guest_id"])
    yield from service(client)
    yield from cache(users["admin"])


def error_of(call, *args, **kwargs):
    """Return the name of the exception that a call raises."""
    try:
        call(*args, **kwargs)
    except (exc.HTTPException, TypeError) as error:
        return type(error).__name__
    return None


def life(client, again):
    """One image from its making to its end."""
    made = client.images.create(
        name="gc disk", disk_format="raw", container_format="bare", os_distro="debian", visibility="private"
    )
    yield "created", [made.status, made.os_distro, made.visibility]
    client.images.upload(made.id, io.BytesIO(DATA))
    shown = client.images.get(made.id)
    yield "uploaded", [shown.status, shown.size, shown.checksum, shown.os_hash_algo]
    yield "uploaded twice", error_of(again.images.upload, made.id, io.BytesIO(DATA))
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


def sharing(client, guest, guest_id):
    """Two projects share an image."""
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


def service(client):
    """What describes the service: its schemas, its versions, and what a project uses of it."""
    yield "schema", client.schemas.get("image").name
    yield "namespace schema", client.schemas.get("metadefs/namespace").name
    yield "version", [each["id"] for each in client.versions.list() if each["status"] == "CURRENT"]
    yield "usage", client.info.get_usage()


def cache(admin):
    """glanceclient reads from the versions that there is no cache, and asks nothing more."""
    image_id = admin.images.create(name="gc cached").id
    asked = {
        "supported": error_of(admin.cache.is_supported, "v2.14"),
        "list": error_of(admin.cache.list),
        "queue": error_of(admin.cache.queue, image_id),
        "delete": error_of(admin.cache.delete, image_id),
        "clear": error_of(admin.cache.clear, "both"),
        "nodes": error_of(admin.cache.list_cached_nodes, image_id),
        "clean": error_of(admin.cache.clean),
        "prune": error_of(admin.cache.prune),
    }
    yield "cache", asked
    admin.images.delete(image_id)
