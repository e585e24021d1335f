"""
Uses a cloud's image service by Nova's own code, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import io
import json
import sys
import tempfile
from pathlib import Path

from nova import objects
from nova.conf import CONF
from nova.context import RequestContext
from nova.image import glance
from openstack_service import context_of, error_of

DATA = b"0123456789abcdef" * 100_000


def facts_of(login, guest_id, folder):
    """Yield what Nova's image API, as compute hosts use it, makes of the service."""
    CONF([], project="nova", default_config_files=[])
    CONF.set_override("region_name", login["region_name"], "glance")
    objects.register_all()
    context, api = context_of(RequestContext, login), glance.API()

    snapshot = {
        "name": "nova snapshot",
        "disk_format": "raw",
        "container_format": "bare",
        "properties": {"os_type": "linux", "architecture": "aarch64", "instance_owner": guest_id},
    }
    made = api.create(context, snapshot, data=io.BytesIO(DATA))
    yield "created", [made["status"], made["size"], made["checksum"], made["properties"]["os_type"]]
    shown = api.get(context, made["id"], include_locations=True)
    yield "shown", [shown["status"], shown["deleted"], shown["created_at"] is not None]
    meta = objects.ImageMeta.from_image_ref(context, api, made["id"])
    yield "meta", [meta.disk_format, meta.properties.os_type]
    listed = api.get_all(context, filters={"property-architecture": "aarch64"}, page_size=1)
    yield "listed", [image["name"] for image in listed]

    yield "downloaded", b"".join(api.download(context, made["id"])) == DATA
    target = folder / "base.img"
    api.download(context, made["id"], dest_path=str(target))
    yield "downloaded to a file", target.read_bytes() == DATA

    url = f"{next(glance.get_api_servers(context)).rstrip('/')}/v2/images/{made['id']}"
    yield "found by its address", api.get(context, url)["name"]
    changed = api.update(context, made["id"], {"name": "nova renamed", "properties": {"hw_disk_bus": "scsi"}})
    yield "updated", [changed["name"], sorted(changed["properties"])]
    changed = api.update(context, made["id"], {"properties": {"hw_vif_model": "e1000"}}, purge_props=True)
    yield "purged", [name for name in sorted(changed["properties"]) if name.startswith(("hw_", "os_type"))]
    client = glance.GlanceClientWrapper()
    members = client.call(context, 2, "list", controller="image_members", args=(made["id"],))
    yield "shared with the instance's owner", [member["member_id"] == guest_id for member in members]

    empty = api.create(context, {"name": "nova empty", "size": 0, "properties": {}})
    yield "without data", [empty["status"], empty["size"]]
    for image in (made, empty):
        api.delete(context, image["id"])
    yield "deleted", error_of(api.get, context, made["id"])


def main():
    """Do everything, print the facts."""
    task = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        facts = dict(facts_of(task["logins"]["member"], task["guest_id"], Path(folder)))
    json.dump(facts, sys.stdout)


main()
