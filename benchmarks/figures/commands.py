"""What a command takes, from its start to its end: the help, and a list of images."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, compare, unavailable
from benchmarks.measure import alternate, command
from benchmarks.plan import Plan
from benchmarks.services import CLIENTS, has
from ecl.testing import ImageService

__all__ = ["commands"]

_OURS = CLIENTS["ecl-image"][0] / "bin" / "ecl"
_STOCK = CLIENTS["openstacksdk"][0] / "bin"
_BARE = Path(__file__).parents[1] / "clients" / "keystoneauth_alone.py"
_NOTES = {
    "commands.list.cached": "The whole process. The token of an earlier command is used; openstack has no such cache.",
    "commands.list.limit": "The limit: a script that imports keystoneauth1, logs in, and sends one request.",
}


def commands(plan: Plan) -> Iterator[Figure]:
    """Ask `ecl`, `openstack` and `glance` for help and for the same list; with a log-in each time, and without."""
    titles = {
        "commands.help": ("ecl --help, against openstack --help", 0.12),
        "commands.list": ("ecl image list, against openstack image list", 0.27),
        "commands.list.cached": ("ecl image list with a cached token, against openstack image list", 0.12),
        "commands.list.limit": ("keystoneauth1 alone, against openstack image list", None),
        "commands.list.glance": ("ecl image list, against glance image-list", None),
    }
    if not has("openstacksdk"):
        yield from (unavailable(key, title, "no .venvs/stock", goal=goal) for key, (title, goal) in titles.items())
        return
    with ImageService(("jp1",), testing=False) as service, tempfile.TemporaryDirectory(prefix="ecl-bench-") as home:
        image = service.connect().image.create_image(name="bench", disk_format="raw", container_format="bare")
        env = _environment(service, Path(home))
        words = {
            "ecl --help": [_OURS, "--help"],
            "openstack --help": [_STOCK / "openstack", "--help"],
            "ecl image list": [_OURS, "image", "list", "--no-token-cache"],
            "ecl image list with a cached token": [_OURS, "image", "list"],
            "keystoneauth1 alone": [CLIENTS["ecl-image"][0] / "bin" / "python", _BARE],
            "openstack image list": [_STOCK / "openstack", "image", "list"],
            "glance image-list": [_STOCK / "glance", "image-list"],
        }
        samples = alternate({name: partial(command, each, env) for name, each in words.items()}, plan.runs)
        service.connect().image.delete_image(image)
    for key, (title, goal) in titles.items():
        ours, _, theirs = title.partition(", against ")
        yield compare(
            key,
            title,
            samples,
            ours,
            theirs,
            goal=goal,
            by="process_seconds",
            note=_NOTES.get(key, "The whole process, no token cache."),
        )


def _environment(service: ImageService, home: Path) -> dict[str, str]:
    """Return what a shell would have that is set up for the service by OS_* variables."""
    credentials = service.credentials()
    known = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    wanted = {f"OS_{name.upper()}": value for name, value in credentials.items()}
    # The first round, which does not count, puts the token into the cache.
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    return {**known, **wanted, **places, "OS_IDENTITY_API_VERSION": "3"}
