"""python-glanceclient's part in the benchmarks."""

from _task import expect, pairs, run
from glanceclient.common.utils import save_image
from glanceclient.v2.client import Client
from keystoneauth1 import loading, session


def connect(login):
    """Return the client."""
    plugin = loading.get_plugin_loader(login["auth_type"]).load_from_options(**login["auth"])
    over = session.Session(auth=plugin)
    return Client(session=over, region_name=login.get("region_name"), service_type="image", interface="public")


def get(client, task):
    """Log in, and get one image."""
    client.images.get(task["image"])


def download(client, task):
    """Download images to paths as ``glance image-download`` does; the hash is compared at the end."""
    for image_id, path in pairs(task):
        save_image(client.images.data(image_id, do_checksum=True), path)


def upload(client, task):
    """Upload paths into queued images. glanceclient compares nothing afterwards."""
    for image_id, path in pairs(task):
        with open(path, "rb") as data:
            client.images.upload(image_id, data)


def listing(client, task):
    """List images; look at each, keep none."""
    count = sum(1 for each in client.images.list(page_size=1000) if each.id)
    expect(count == task["expected"], "a list of {}, it has {}".format(task["expected"], count))


run(connect, {"get": get, "upload": upload, "download": download, "list": listing})
