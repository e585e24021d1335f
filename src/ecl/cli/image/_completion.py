"""Names and IDs of images for a shell: from the cloud, kept for a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecl.cli import _cache
from ecl.cli._cloud import Cloud, given
from ecl.cli._output import plain

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = ["complete"]

_KIND = "names"
#: Seconds for which names are kept.
_FRESH = 60
#: Images that are offered at most, and asked for.
_MOST = 1000


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return images of the cloud that the command line names; none if it cannot be asked."""
    del param
    from click.shell_completion import CompletionItem

    try:
        images = _images(Cloud(given(ctx)))
    except Exception:  # noqa: BLE001 - a shell that waits for words has no place for an error
        return []
    found = []
    for identifier, name in images:
        if name and name.startswith(incomplete) and name.isprintable():
            found.append(CompletionItem(name))
        if incomplete and identifier.startswith(incomplete):
            found.append(CompletionItem(identifier, help=plain(name or "")))
    return found


def _images(cloud: Cloud) -> list[tuple[str, str | None]]:
    from ecl.cli._token_cache import key_of

    key = key_of(cloud.config) + (cloud.config.region_name or "")
    found = _cache.read(_KIND, _cache.name_of(key), max_age=_FRESH)
    if isinstance(found, list):
        return [(str(identifier), name) for identifier, name in found]
    images = [(str(each.id), each.name) for each in cloud.image.images(limit=_MOST, sort="name:asc")]
    _cache.write(_KIND, _cache.name_of(key), images)
    return images
