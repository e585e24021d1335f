"""Find the image that a user named: by ID, or by a name that only one image has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ecl.cli._cloud import Cloud
    from ecl.image.v2.image import Image

__all__ = ["IMAGE", "find", "image_argument", "named", "newest_option"]

C = TypeVar("C", bound=Callable[..., Any])

#: Most images of one name that an error lists.
_MAX_LISTED = 10


class ImageName(click.ParamType[str]):
    """The name or ID of an image; a shell completes both."""

    name = "IMAGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text. Raises BadParameter if it is empty."""
        if not value:
            self.fail("the name or ID is empty.", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return names and IDs that begin with *incomplete*."""
        from ecl.cli.image._completion import complete

        return complete(ctx, param, incomplete)


IMAGE = ImageName()


def image_argument(command: C) -> C:
    """Add the argument IMAGE."""
    return click.argument("image", type=IMAGE)(command)


def newest_option(command: C) -> C:
    """Add ``--newest``."""
    text = "If several images have the name, take the one created last."
    return click.option("--newest", is_flag=True, help=text)(command)


def find(cloud: Cloud, name_or_id: str, newest: bool = False) -> Image:
    """
    Return the image with that ID or name. A hidden image is found by name only if no visible image has it.

    Args:
        newest: If several images have the name, return the one created last.

    Raises:
        ResourceNotFound: There is no such image.
        DuplicateResource: Several images have the name, and *newest* is false; the message lists them.
    """
    from ecl import exceptions

    try:
        return cloud.image.find_image(name_or_id, False, newest=newest, hidden=True)
    except exceptions.ResourceNotFound as exc:
        raise exceptions.ResourceNotFound(f"There is no image with the name or ID {name_or_id!r}.") from exc
    except exceptions.DuplicateResource as exc:
        found = named(cloud, name_or_id) or named(cloud, name_or_id, os_hidden=True)
        listed = "; ".join(f"{image.id} ({image.image_status}, {image.created_at})" for image in found[:_MAX_LISTED])
        more = f" and {len(found) - _MAX_LISTED} more" if len(found) > _MAX_LISTED else ""
        raise exceptions.DuplicateResource(
            f"{len(found)} images have the name {name_or_id!r}: {listed}{more}. Give an ID, or --newest."
        ) from exc


def named(cloud: Cloud, name: str, **filters: Any) -> list[Image]:
    """Return all images with exactly that name, newest first."""
    return list(cloud.image.images_named(name, **filters))
