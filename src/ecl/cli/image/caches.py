"""``ecl image cache …``: the images that the cloud has cached, and those in the queue. For administrators."""

from __future__ import annotations

from typing import Literal

import click

from ecl.cli._cloud import Cloud, pass_cloud
from ecl.cli._command import Command
from ecl.cli._output import Column, Output, listing, showing
from ecl.cli.image._find import IMAGE, find, image_argument, newest_option

__all__ = ["cache_clean", "cache_clear", "cache_delete", "cache_list", "cache_nodes", "cache_prune", "cache_queue"]

_COLUMNS = [
    Column("image_id", "ID"),
    Column("state", "State"),
    Column("size", "Size"),
    Column("hits", "Hits"),
    Column("last_accessed", "Last Accessed"),
    Column("last_modified", "Last Modified"),
]
_images = click.argument("images", type=IMAGE, nargs=-1, required=True, metavar="IMAGE...")


@click.command("list", cls=Command, columns=_COLUMNS)
@listing
@pass_cloud
def cache_list(cloud: Cloud, out: Output) -> None:
    """List the images in the cache and in its queue. The times are seconds since 1970."""
    cache = cloud.image.get_image_cache()
    rows = [{**image, "state": "cached"} for image in cache.cached_images or ()]
    rows += [{"image_id": identifier, "state": "queued"} for identifier in cache.queued_images or ()]
    out.rows(_COLUMNS, rows)


@click.command("nodes", cls=Command)
@image_argument
@newest_option
@listing
@pass_cloud
def cache_nodes(cloud: Cloud, out: Output, *, image: str, newest: bool) -> None:
    """List the nodes that have an image in their cache."""
    nodes = cloud.image.cached_image_nodes(find(cloud, image, newest))
    out.rows([Column("node", "Node")], [{"node": node} for node in nodes])


@click.command("queue", cls=Command)
@_images
@newest_option
@pass_cloud
def cache_queue(cloud: Cloud, *, images: tuple[str, ...], newest: bool) -> None:
    """Queue images for the cache."""
    for image in [find(cloud, name, newest) for name in images]:
        cloud.image.queue_image(image)


@click.command("delete", cls=Command)
@_images
@newest_option
@pass_cloud
def cache_delete(cloud: Cloud, *, images: tuple[str, ...], newest: bool) -> None:
    """Remove images from the cache and its queue. The images themselves stay."""
    for image in [find(cloud, name, newest) for name in images]:
        cloud.image.cache_delete_image(image, ignore_missing=False)


@click.command("clear", cls=Command)
@click.option("--cache", "target", flag_value="cache", help="Clear only the cache.")
@click.option("--queue", "target", flag_value="queue", help="Clear only the queue.")
@pass_cloud
def cache_clear(cloud: Cloud, *, target: Literal["cache", "queue"] | None) -> None:
    """Remove all images from the cache and its queue. The images themselves stay."""
    cloud.image.clear_cache(target or "both")


@click.command("clean", cls=Command)
@pass_cloud
def cache_clean(cloud: Cloud) -> None:
    """Remove invalid and stalled entries from the cache."""
    cloud.image.clean_cache()


@click.command("prune", cls=Command)
@showing
@pass_cloud
def cache_prune(cloud: Cloud, out: Output) -> None:
    """Remove the least recently used images, until the cache has its maximum size."""
    out.fields(cloud.image.prune_cache())
