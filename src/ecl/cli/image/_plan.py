"""Plan the steps that apply a manifest to one cloud, and run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl.cli.image._manifest import FINGERPRINT, MARK, Entry, Manifest
from ecl.cli.image._sources import Content

if TYPE_CHECKING:
    from ecl.cli._cloud import Cloud
    from ecl.image.v2.image import Image

__all__ = ["Step", "plan"]

#: Attributes that Glance does not change after the data was uploaded.
_FIXED = ("disk_format", "container_format")


@dataclass
class Step:
    """One step in one cloud."""

    #: create, update, replace, hide, delete, keep, conflict or error.
    action: str
    name: str
    image: Image | None = None
    entry: Entry | None = None
    content: Content | None = None
    #: Attributes and properties to set, by the API's names.
    changes: dict[str, Any] = field(default_factory=dict)
    why: str = ""

    def do(
        self, cloud: Cloud, progress: Callable[[int, int | None], None], max_bandwidth: int | None = None
    ) -> Image | None:
        """Run the step; return the image afterwards, or None if it was deleted."""
        from ecl.image.v2.image import BASE_ATTRIBUTES

        proxy = cloud.image
        if self.action in ("create", "replace"):
            assert self.content is not None
            # Hidden until the upload is complete, so that the name never finds a half-made image.
            is_hidden = self.changes.get("os_hidden", False)
            own = {name: value for name, value in self.changes.items() if name in BASE_ATTRIBUTES}
            image = proxy.create_image(
                data=self.content.data(),
                progress=progress,
                max_bandwidth=max_bandwidth,
                decompress=self.content.decompress,
                properties={
                    name: value for name, value in self.changes.items() if name not in own and value is not None
                },
                **{**own, "name": self.name, "os_hidden": True},
            )
            return image if is_hidden else proxy.update_image(image, {"os_hidden": False})
        if self.action in ("update", "hide"):
            assert self.image is not None
            return proxy.update_image(self.image, self.changes)
        if self.action == "delete":
            assert self.image is not None
            proxy.delete_image(self.image)
            return None
        return self.image


def plan(cloud: Cloud, manifest: Manifest, contents: Mapping[str, Content], prune: bool) -> list[Step]:
    """
    Compare *manifest* with the project's images in *cloud*; return the steps, in order.

    Args:
        contents: The data of each entry, by the entry's name.
        prune: Also delete images of this manifest that it has replaced or no longer names.
    """
    present = [
        image
        for hidden in (False, True)
        for image in cloud.image.images(owner=cloud.project_id, os_hidden=hidden, sort="created_at:desc")
        if image.image_status in ("active", "deactivated")
    ]
    steps: list[Step] = []
    current: set[str | None] = set()
    for entry in manifest.entries:
        for step in _for_entry(manifest, entry, contents[entry.name], present):
            steps.append(step)
            if step.image is not None and step.action in ("update", "keep", "conflict"):
                current.add(step.image.id)
            if step.action == "error":
                # The new image will not be there, so the old ones must stay.
                current.update(image.id for image in present if image.name == step.name)
    if prune:
        marked = [image for image in present if image.properties.get(MARK) == manifest.name]
        deleted = {image.id: image for image in marked if image.id not in current}
        # An image that will be deleted need not be hidden first.
        steps = [step for step in steps if step.action != "hide" or step.image is None or step.image.id not in deleted]
        steps += [Step("delete", image.name or "", image, why=_why_deleted(image)) for image in deleted.values()]
    return steps


def _for_entry(manifest: Manifest, entry: Entry, content: Content, present: list[Image]) -> list[Step]:
    named = [image for image in present if image.name == entry.name and _is_current(image, entry)]
    if len(named) > 1:
        listed = ", ".join(str(image.id) for image in named)
        return [Step("conflict", entry.name, named[0], why=f"{len(named)} images have the name: {listed}")]
    image = named[0] if named else None
    try:
        wanted = _wanted(manifest, entry, content)
        reason = _why_replaced(image, entry, content) if image is not None else ""
    except exceptions.FileFailure as exc:
        return [Step("error", entry.name, image, why=str(exc))]
    if image is None and content.problem:
        return [Step("error", entry.name, why=content.problem)]
    if image is None:
        return [Step("create", entry.name, None, entry, content, wanted)]
    if reason and content.problem:
        return [Step("error", entry.name, image, why=content.problem)]
    if reason:
        hide = Step("hide", entry.name, image, changes={"os_hidden": True}, why="replaced")
        return [Step("replace", entry.name, image, entry, content, wanted, why=reason), hide]
    changes = _differences(image, wanted)
    if not changes:
        return [Step("keep", entry.name, image)]
    return [Step("update", entry.name, image, entry, changes=changes, why=", ".join(sorted(changes)))]


def _is_current(image: Image, entry: Entry) -> bool:
    """Tell whether *image* is the current one of its name. Hidden ones were replaced, unless *entry* is hidden."""
    return bool(image.os_hidden) == bool(entry.attributes.get("os_hidden", False))


def _wanted(manifest: Manifest, entry: Entry, content: Content) -> dict[str, Any]:
    wanted: dict[str, Any] = {**entry.properties, MARK: manifest.name, **entry.attributes}
    if content.fingerprint is not None:
        wanted[FINGERPRINT] = content.fingerprint
    if entry.tags is not None:
        wanted["tags"] = list(entry.tags)
    return {key: value for key, value in wanted.items() if value is not None or key in entry.properties}


def _why_replaced(image: Image, entry: Entry, content: Content) -> str:
    for name in _FIXED:
        if name in entry.attributes and image[name] != entry.attributes[name]:
            return f"{name} is {image[name]}"
    return "" if content.is_in(image) else "the data differs"


def _differences(image: Image, wanted: Mapping[str, Any]) -> dict[str, Any]:
    fields, differing = dict(image), {}
    for name, value in wanted.items():
        now = fields.get(name)
        if name == "tags":
            if set(now or ()) != set(value):
                differing[name] = value
        elif now != value:
            differing[name] = value
    return differing


def _why_deleted(image: Image) -> str:
    return "replaced" if image.os_hidden else "not in the manifest"
