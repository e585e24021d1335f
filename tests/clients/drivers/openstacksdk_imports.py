"""Imports, stores, locations and tasks, by openstacksdk."""

from openstack import exceptions
from openstacksdk_images import error_of
from shared import until

DATA = b"0123456789abcdef" * 10_000
RAW = {"disk_format": "raw", "container_format": "bare"}


def facts(users, task):
    """Yield what there was to see."""
    image, admin = users["member"], users["admin"]
    yield from stores(image, admin)
    yield from imports(image, admin, task["uri"])
    yield from locations(image, admin, task["uri"])
    yield from tasks(admin, task)


def settled(image, made):
    """Wait until no import is at work on an image."""

    def look():
        shown = image.get_image(made.id)
        return None if shown.status == "importing" or shown.properties.get("os_glance_import_task") else shown

    return until(look)


def stores(image, admin):
    """What there is to import by and to store in."""
    methods = image.get_import_info().import_methods["value"]
    yield "methods", sorted({"glance-direct", "web-download", "copy-image"} & set(methods))
    yield "stores", sorted((store.id, bool(store.is_default)) for store in image.stores())
    yield "details", sorted("data_dir" in store.properties for store in admin.stores(details=True))


def imports(image, admin, uri):
    """Each method, and the tasks that did it."""
    staged = image.create_image(name="staged", **RAW)
    image.stage_image(staged, data=DATA)
    yield "staged", image.get_image(staged.id).status
    image.import_image(staged, method="glance-direct", store=None, stores=[], all_stores=True)
    done = settled(image, staged)
    yield "glance-direct", [done.status, done.size, sorted(done.properties["stores"].split(","))]

    fetched = image.create_image(name="fetched", **RAW)
    image.import_image(fetched, method="web-download", uri=uri)
    done = settled(image, fetched)
    yield "web-download", [done.status, done.size, done.properties["stores"]]

    admin.import_image(done, method="copy-image", stores=[next(s for s in admin.stores() if s.id == "cheap")])
    done = settled(image, fetched)
    yield "copy-image", sorted(done.properties["stores"].split(","))
    admin.delete_image(fetched.id, store="fast")
    yield "out of one store", image.get_image(fetched.id).properties["stores"]

    found = list(image.image_tasks(fetched))
    yield "tasks", sorted(task.status for task in found)
    yield "one task", admin.get_task(found[0].id).status
    yield "all tasks", {task.id for task in found} <= {task.id for task in admin.tasks()}
    yield "waited for", admin.wait_for_task(admin.get_task(found[0].id)).status
    for made in (staged, fetched):
        image.delete_image(made)


def locations(image, admin, uri):
    """Where the bytes are, for administrators; and bytes that somebody points to."""
    made = image.create_image(name="located", **RAW)
    error = error_of(image.add_image_location, made.id, uri)
    done = settled(image, made)
    shown = [[each.url.partition(":")[0], each.metadata["store"]] for each in admin.image_locations(made.id)]
    yield "location", [error, [done.status, done.size], shown]
    yield "locations for members", error_of(lambda: list(image.image_locations(made.id)))
    image.delete_image(made.id)


def tasks(admin, task):
    """A task that makes an image, and one that cannot."""
    wanted = {"import_from_format": "raw", "image_properties": {"name": "by a task", **RAW}}
    made = admin.create_task(type="import", input={"import_from": task["uri"], **wanted})
    yield "task", [made.type, made.input["import_from"] == task["uri"]]
    done = admin.wait_for_task(made, interval=0.1)
    made_by_task = admin.get_image(done.result["image_id"])
    yield "image of the task", [made_by_task.name, made_by_task.status, made_by_task.size]
    admin.delete_image(made_by_task)

    made = admin.create_task(type="import", input={"import_from": task["missing"], **wanted})
    try:
        admin.wait_for_task(made, interval=0.1)
    except exceptions.ResourceFailure:
        ended = admin.get_task(made)
        yield "failed task", [ended.status, ended.result, bool(ended.message)]
    yield "images of the failed task", len(list(admin.images(name="by a task")))
