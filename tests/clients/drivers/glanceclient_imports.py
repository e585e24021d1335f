"""Imports, stores, locations and tasks, by python-glanceclient."""

import io

from glanceclient_images import error_of
from shared import until

DATA = b"0123456789abcdef" * 10_000
RAW = {"disk_format": "raw", "container_format": "bare"}


def facts(users, task):
    """Yield what there was to see."""
    client, admin = users["member"], users["admin"]
    yield from stores(client, admin)
    yield from imports(client, admin, task["uri"])
    yield from locations(client, admin, task["uri"])
    yield from tasks(admin, task["uri"])


def settled(client, image_id):
    """Wait until no import is at work on an image."""

    def look():
        shown = client.images.get(image_id)
        return None if shown.status == "importing" or shown.get("os_glance_import_task") else shown

    return until(look)


def stores(client, admin):
    """What there is to import by and to store in."""
    methods = client.images.get_import_info()["import-methods"]["value"]
    yield "methods", sorted({"glance-direct", "web-download", "copy-image"} & set(methods))
    yield "stores", sorted(store["id"] for store in client.images.get_stores_info()["stores"])
    detailed = admin.images.get_stores_info_detail()["stores"]
    yield "details", sorted("data_dir" in store["properties"] for store in detailed)


def imports(client, admin, uri):
    """Each method, and the tasks that did it."""
    image_id = client.images.create(name="gc staged", **RAW).id
    client.images.stage(image_id, io.BytesIO(DATA))
    yield "staged", client.images.get(image_id).status
    client.images.image_import(image_id, method="glance-direct", all_stores=True)
    done = settled(client, image_id)
    yield "glance-direct", [done.status, done.size, sorted(done.stores.split(","))]
    admin.images.delete_from_store("fast", image_id)
    yield "out of one store", client.images.get(image_id).stores
    client.images.delete(image_id)

    image_id = client.images.create(name="gc fetched", **RAW).id
    client.images.image_import(image_id, method="web-download", uri=uri, backend="cheap")
    done = settled(client, image_id)
    yield "web-download", [done.status, done.size, done.stores]
    yield "tasks", [each["status"] for each in client.images.get_associated_image_tasks(image_id)["tasks"]]
    client.images.delete(image_id)


def locations(client, admin, uri):
    """Where the bytes are, for administrators; and that nobody changes it by hand."""
    image_id = client.images.create(name="gc located", **RAW).id
    error = error_of(client.images.add_image_location, image_id, uri)
    done = settled(client, image_id)
    listed = admin.images.get_image_locations(image_id)
    shown = [[each["url"].partition(":")[0], each["metadata"]["store"]] for each in listed]
    yield "location", [error, [done.status, done.size], shown]
    yield "locations for members", error_of(client.images.get_image_locations, image_id)
    yield "location patched", error_of(admin.images.add_location, image_id, uri, {})
    yield "location updated", error_of(admin.images.update_location, image_id, uri, {})
    yield "location removed", error_of(admin.images.delete_locations, image_id, {uri})
    client.images.delete(image_id)


def tasks(admin, uri):
    """A task that makes an image."""
    wanted = {"import_from": uri, "import_from_format": "raw", "image_properties": {"name": "gc by a task", **RAW}}
    made = admin.tasks.create(type="import", input=wanted)
    yield "task", [made.type, made.input == wanted]
    done = until(lambda: next((task for task in [admin.tasks.get(made.id)] if task.status == "success"), None))
    image = admin.images.get(done.result["image_id"])
    yield "image of the task", [done.status, image.name, image.status, image.size]
    yield "task listed", made.id in [task.id for task in admin.tasks.list(filters={"type": "import"})]
    admin.images.delete(image.id)
