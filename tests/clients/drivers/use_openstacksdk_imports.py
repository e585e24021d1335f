"""
Imports images with openstacksdk, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import json
import sys
import time

import openstack

TASK = json.load(sys.stdin)
DATA = b"0123456789abcdef" * 10_000


def connect(identity):
    """Return the image proxy of openstacksdk for one of the task's logins."""
    login = TASK["logins"][identity]
    auth = dict(login["auth"])
    if "endpoint" in auth:
        # With a bare token there is no catalog, and openstacksdk discovers nothing.
        auth["endpoint"] += "/v2"
    cloud = openstack.connect(load_yaml_config=False, load_envvars=False, **{**login, "auth": auth})
    return cloud.image


def settled(image, made):
    """Wait until no import is at work on an image."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        current = image.get_image(made.id)
        if current.status in ("active", "queued") and not current.properties.get("os_glance_import_task"):
            return current
        time.sleep(0.1)
    raise TimeoutError("the import does not end")


def main():
    """Go through it all."""
    image, admin = connect("member"), connect("admin")
    facts = {}
    methods = image.get_import_info().import_methods["value"]
    facts["methods"] = sorted({"glance-direct", "web-download", "copy-image"} & set(methods))
    facts["stores"] = sorted((store.id, bool(store.is_default)) for store in image.stores())
    facts["details"] = sorted("data_dir" in store.properties for store in admin.stores(details=True))

    staged = image.create_image(name="staged", disk_format="raw", container_format="bare", allow_duplicates=True)
    image.stage_image(staged, data=DATA)
    facts["staged"] = image.get_image(staged.id).status
    image.import_image(staged, method="glance-direct", store=None, stores=[], all_stores=True)
    done = settled(image, staged)
    facts["glance-direct"] = [done.status, done.size, sorted(done.properties["stores"].split(","))]

    fetched = image.create_image(name="fetched", disk_format="raw", container_format="bare", allow_duplicates=True)
    image.import_image(fetched, method="web-download", uri=TASK["uri"])
    done = settled(image, fetched)
    facts["web-download"] = [done.status, done.size, done.properties["stores"]]

    admin.import_image(done, method="copy-image", stores=[next(s for s in admin.stores() if s.id == "cheap")])
    done = settled(image, fetched)
    facts["copy-image"] = sorted(done.properties["stores"].split(","))
    admin.delete_image(fetched.id, store="fast")
    facts["out of one store"] = image.get_image(fetched.id).properties["stores"]

    tasks = list(image.image_tasks(fetched))
    facts["tasks"] = sorted(task.status for task in tasks)
    facts["one task"] = admin.get_task(tasks[0].id).status
    facts["all tasks"] = {task.id for task in tasks} <= {task.id for task in admin.tasks()}
    facts["waited for"] = admin.wait_for_task(admin.get_task(tasks[0].id)).status
    for made in (staged, fetched):
        image.delete_image(made)
    return facts


print(json.dumps(main()))
