"""Complete names and IDs of images, which are cached for a minute, and IDs of copy jobs in a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecl.cli import _cache
from ecl.cli._cloud import Cloud, given
from ecl.cli._values import plain

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = ["complete", "complete_jobs"]

_KIND = "names"
#: Seconds for which the names are cached.
_MAX_AGE_SECONDS = 60
#: Most images to ask for and to offer.
_MAX_IMAGES = 1000


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the matching images of the cloud that the command line chooses; an empty list on any error."""
    del param
    from click.shell_completion import CompletionItem

    try:
        images = _images(Cloud(given(ctx)))
    except Exception:  # noqa: BLE001 - a shell cannot show an error while it completes
        return []
    items = []
    for identifier, name in images:
        if name and name.startswith(incomplete) and name.isprintable():
            items.append(CompletionItem(name))
        if incomplete and identifier.startswith(incomplete):
            items.append(CompletionItem(identifier, help=plain(name or "")))
    return items


def complete_jobs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the IDs of the project's copy jobs that begin with *incomplete*; an empty list on any error."""
    del param
    from click.shell_completion import CompletionItem

    try:
        jobs = [(str(job.job_id), job.status or "") for job in Cloud(given(ctx)).image.list_image_copy_jobs()]
    except Exception:  # noqa: BLE001 - a shell cannot show an error while it completes
        return []
    return [CompletionItem(job, help=plain(status)) for job, status in jobs if job.startswith(incomplete)]


def _images(cloud: Cloud) -> list[tuple[str, str | None]]:
    from ecl.cli._token_cache import key_of

    key = key_of(cloud.config) + (cloud.config.region_name or "")
    cached = _cache.read(_KIND, _cache.name_of(key), max_age=_MAX_AGE_SECONDS)
    if isinstance(cached, list):
        return [(str(identifier), name) for identifier, name in cached]
    images = [(str(image.id), image.name) for image in cloud.image.images(limit=_MAX_IMAGES, sort="name:asc")]
    _cache.write(_KIND, _cache.name_of(key), images)
    return images
