"""
Uses a cloud's image service by Cinder's own code, and prints what it saw.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import io
import json
import sys
import tempfile
from pathlib import Path

from cinder.common.config import CONF
from cinder.context import RequestContext
from cinder.image.image_utils import glance  # it cannot be imported first: the two import each other
from openstack_service import context_of, error_of

DATA = b"0123456789abcdef" * 100_000


def facts_of(login, folder, servers=None):
    """Yield what Cinder's image service makes of ours; by the catalog, else by the addresses of its settings."""
    CONF([], project="cinder", default_config_files=[])
    CONF.set_override("region_name", login["region_name"], glance.GLANCE_GROUP)
    CONF.set_override("glance_api_servers", servers)
    context, service = context_of(RequestContext, login), glance.GlanceImageService()

    wanted = {"name": "cinder volume", "disk_format": "raw", "container_format": "bare", "properties": {"a": "1"}}
    made = service.create(context, wanted)
    yield "created", [made["status"], made["properties"]["a"]]
    with (folder / "volume.img").open("w+b") as volume:
        volume.write(DATA)
        volume.seek(0)
        service.update(context, made["id"], {}, data=volume, purge_props=False, store_id="cheap")
    shown = service.show(context, made["id"])
    yield "uploaded", [shown["status"], shown["size"], shown["checksum"], shown["stores"]]
    yield "stores", sorted(store["id"] for store in service.get_stores(context)["stores"])
    yield "listed", [image["name"] for image in service.detail(context, filters={"name": "cinder volume"})]
    target = io.BytesIO()
    service.download(context, made["id"], target)
    yield "downloaded", target.getvalue() == DATA
    changed = service.update(context, made["id"], {"name": "cinder renamed", "properties": {"b": "2"}})
    yield "updated", [changed["name"], [name for name in ("a", "b") if name in changed["properties"]]]
    yield "members", list(service.list_members(context, made["id"]))
    service.delete(context, made["id"])
    yield "deleted", error_of(service.show, context, made["id"])


def main():
    """Do everything, print the facts."""
    task = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        login, folder = task["logins"]["member"], Path(folder)
        facts = {
            "by the catalog": dict(facts_of(login, folder)),
            "by addresses": dict(facts_of(login, folder, [task["image_url"]])),
        }
    json.dump(facts, sys.stdout)


main()
