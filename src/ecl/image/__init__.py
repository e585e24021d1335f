"""
The image service: what people use of it, under one name.

::

    from ecl.image import Image, Proxy

Each name is loaded from its module when it is first used, so that the import costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecl.image.transfer import Bandwidth, DataStream, ImageData, ProgressCallback, UploadOptions
    from ecl.image.v2._proxy import Proxy
    from ecl.image.v2.cache import Cache
    from ecl.image.v2.image import Image, json_patch
    from ecl.image.v2.image_copy import ImageCopy
    from ecl.image.v2.license import License
    from ecl.image.v2.location import Location
    from ecl.image.v2.member import Member
    from ecl.image.v2.metadef_namespace import MetadefNamespace
    from ecl.image.v2.metadef_object import MetadefObject
    from ecl.image.v2.metadef_property import MetadefProperty
    from ecl.image.v2.metadef_resource_type import MetadefResourceType, MetadefResourceTypeAssociation
    from ecl.image.v2.metadef_tag import MetadefTag
    from ecl.image.v2.schema import Scheme
    from ecl.image.v2.service_info import Import, Usage, Version
    from ecl.image.v2.store import Store
    from ecl.image.v2.tag import Tag
    from ecl.image.v2.task import ImageTask, Task

__all__ = [
    "Bandwidth",
    "Cache",
    "DataStream",
    "Image",
    "ImageCopy",
    "ImageData",
    "ImageTask",
    "Import",
    "License",
    "Location",
    "Member",
    "MetadefNamespace",
    "MetadefObject",
    "MetadefProperty",
    "MetadefResourceType",
    "MetadefResourceTypeAssociation",
    "MetadefTag",
    "ProgressCallback",
    "Proxy",
    "Scheme",
    "Store",
    "Tag",
    "Task",
    "UploadOptions",
    "Usage",
    "Version",
    "json_patch",
]

# Module to the names that are loaded from it.
_MODULES = {
    "transfer": ("Bandwidth", "DataStream", "ImageData", "ProgressCallback", "UploadOptions"),
    "v2._proxy": ("Proxy",),
    "v2.cache": ("Cache",),
    "v2.image": ("Image", "json_patch"),
    "v2.image_copy": ("ImageCopy",),
    "v2.license": ("License",),
    "v2.location": ("Location",),
    "v2.member": ("Member",),
    "v2.metadef_namespace": ("MetadefNamespace",),
    "v2.metadef_object": ("MetadefObject",),
    "v2.metadef_property": ("MetadefProperty",),
    "v2.metadef_resource_type": ("MetadefResourceType", "MetadefResourceTypeAssociation"),
    "v2.metadef_tag": ("MetadefTag",),
    "v2.schema": ("Scheme",),
    "v2.service_info": ("Import", "Usage", "Version"),
    "v2.store": ("Store",),
    "v2.tag": ("Tag",),
    "v2.task": ("ImageTask", "Task"),
}

# Hidden from type checkers, which would accept any name for it.
if not TYPE_CHECKING:

    def __getattr__(name):
        import importlib

        for module, names in _MODULES.items():
            if name in names:
                return getattr(importlib.import_module(f"ecl.image.{module}"), name)
        raise AttributeError(f"module 'ecl.image' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
