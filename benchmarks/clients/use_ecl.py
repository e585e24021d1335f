"""ecl-image's part in the benchmarks."""

import os

from _task import expect, pairs, run
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from ecl.connection import Connection
from ecl.image.v2._proxy import Proxy


def connect(login):
    """Return the image service; with a token and an endpoint, that endpoint."""
    if login["auth_type"] == "admin_token":
        return Proxy(Session(auth=Token(**login["auth"])))
    return Connection(region_name=login["region_name"], **login["auth"]).image


def get(image, task):
    """Log in, and get one image."""
    image.get_image(task["image"])


def upload(image, task):
    """Upload a path into a queued image. Verified: it is compared with the service's hash."""
    for image_id, path in pairs(task):
        expect(image.upload_image(image_id, path).image_status == "active", "upload of " + image_id)


def upload_many(image, task):
    """Create images with data, several at once."""
    wanted = [{"name": task["name"], "disk_format": "raw", "data": path} for path in task["paths"]]
    done = image.upload_images(wanted)
    expect([each.image_status for each in done] == ["active"] * len(wanted), "uploads")


def create_small(image, task):
    """Create images with a little data, one after the other."""
    data = os.urandom(task["size"])
    for _ in range(task["count"]):
        made = image.create_image(name=task["name"], disk_format="raw", data=data)
        expect(made.image_status == "active", "creation")


def download(image, task):
    """Download images to paths. Verified: each is compared with the service's hash before it has its name."""
    extra = {"connections": task["connections"]} if "connections" in task else {}
    if len(task["paths"]) > 1:
        expect(len(image.download_images(pairs(task))) == len(task["paths"]), "downloads")
        return
    for image_id, path in pairs(task):
        image.download_image(image_id, output=path, **extra)


def listing(image, task):
    """List images; look at each, keep none."""
    extra = {"limit": task["limit"]} if "limit" in task else {}
    count = sum(1 for each in image.images(page_size=1000, **extra) if each.id)
    expect(count == task["expected"], "a list of {}, it has {}".format(task["expected"], count))


def find(image, task):
    """Find an image by name."""
    expect(image.find_image(task["name"]).name == task["name"], "find")


WORK = {
    "get": get,
    "upload": upload,
    "upload_many": upload_many,
    "create_small": create_small,
    "download": download,
    "list": listing,
    "find": find,
}
run(connect, WORK)
