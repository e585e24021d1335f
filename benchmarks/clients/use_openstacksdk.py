"""openstacksdk's part in the benchmarks."""

import openstack
from _task import expect, pairs, run


def connect(login):
    """Return the image proxy."""
    return openstack.connect(load_yaml_config=False, load_envvars=False, **login).image


def get(image, task):
    """Log in, and get one image."""
    image.get_image(task["image"])


def download(image, task):
    """Download images to paths; with stream it writes as it goes, and compares the hash at the end."""
    for image_id, path in pairs(task):
        image.download_image(image_id, stream=True, output=path)


def upload(image, task):
    """Create images with data: that is how openstacksdk uploads a file. It hashes the file first."""
    for image_id, path in pairs(task):
        made = image.create_image(
            image_id, filename=path, disk_format="raw", container_format="bare", allow_duplicates=True, wait=True
        )
        expect(image.get_image(made.id).status == "active", "upload")


def listing(image, task):
    """List images; look at each, keep none."""
    count = sum(1 for each in image.images(limit=1000) if each.id)
    expect(count == task["expected"], "a list of {}, it has {}".format(task["expected"], count))


def find(image, task):
    """Find an image by name."""
    expect(image.find_image(task["name"]).name == task["name"], "find")


run(connect, {"get": get, "upload": upload, "download": download, "list": listing, "find": find})
