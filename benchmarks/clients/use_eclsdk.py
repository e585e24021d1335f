"""eclsdk's part in the benchmarks (Python 3.8)."""

from _task import expect, run

from ecl import connection, profile


def connect(login):
    """Return the image proxy."""
    chosen = profile.Profile()
    chosen.set_region(profile.Profile.ALL, login["region_name"])
    return connection.Connection(profile=chosen, auth_plugin=login["auth_type"], **login["auth"]).image


def get(image, task):
    """Log in, and get one image."""
    image.get_image(task["image"])


def find(image, task):
    """Find an image by name. What it finds is None if the image is not on the one page that it asks for."""
    found = image.find_image(task["name"], ignore_missing=True)
    expect(found is not None and found.name == task["name"], "find")


def search(image, task):
    """Find an image by name wherever it is: what a user of eclsdk writes, whose find_image reads one page alone."""
    marker = {}
    while True:
        page = image.images(limit=1000, **marker)
        if any(each.name == task["name"] for each in page):
            return
        expect(page, "search")
        marker = {"marker": page[-1].id}


run(connect, {"get": get, "find": find, "search": search})
