"""``ecl image``: its subcommands, one module per noun."""

from __future__ import annotations

import click

from ecl.cli._command import LazyGroup

__all__ = ["ALIASES", "COMMANDS", "SECTIONS", "image"]

_HERE = "ecl.cli.image"

#: The subcommands, by the titles in ``ecl image --help``: where each is defined, and its line there.
SECTIONS = {
    "Images": {
        "list": (f"{_HERE}.listing:list_images", "List images."),
        "show": (f"{_HERE}.listing:show", "Show an image."),
        "create": (f"{_HERE}.create:create", "Create an image, usually from a file."),
        "update": (f"{_HERE}.update:update", "Change an image."),
        "unset": (f"{_HERE}.update:unset", "Remove tags and properties from an image."),
        "delete": (f"{_HERE}.delete:delete", "Delete images."),
        "activate": (f"{_HERE}.activation:activate", "Allow downloads of a deactivated image again."),
        "deactivate": (f"{_HERE}.activation:deactivate", "Forbid downloads of an image."),
        "tag add": (f"{_HERE}.tags:tag_add", "Add tags to an image."),
        "tag list": (f"{_HERE}.tags:tag_list", "List the tags of an image."),
        "tag remove": (f"{_HERE}.tags:tag_remove", "Remove tags from an image."),
    },
    "Data": {
        "upload": (f"{_HERE}.data:upload", "Upload data to an image that has none."),
        "download": (f"{_HERE}.data:download", "Download the data of an image and verify it."),
        "publish": (f"{_HERE}.publish:publish", "Replace the images of a name by a new one."),
        "stage": (f"{_HERE}.imports:stage", "Upload data to the staging area, for import."),
        "import": (f"{_HERE}.imports:import_image", "Let the cloud fetch the data of an image."),
        "import info": (f"{_HERE}.imports:import_info", "List the import methods of the cloud."),
        "location add": (f"{_HERE}.locations:location_add", "Let an image use data at an address."),
        "location list": (f"{_HERE}.locations:location_list", "List the addresses of an image's data."),
        "location set": (f"{_HERE}.locations:location_set", "Change the metadata of an address."),
        "location remove": (f"{_HERE}.locations:location_remove", "Remove an address from an image."),
    },
    "Sharing": {
        "share": (f"{_HERE}.members:share", "Share an image and accept it in the other project."),
        "member add": (f"{_HERE}.members:member_add", "Share an image with a project."),
        "member list": (f"{_HERE}.members:member_list", "List the projects that an image is shared with."),
        "member show": (f"{_HERE}.members:member_show", "Show whether a project accepted a shared image."),
        "member set": (f"{_HERE}.members:member_set", "Accept or reject a shared image."),
        "member remove": (f"{_HERE}.members:member_remove", "Stop sharing an image with a project."),
    },
    "Other regions and clouds": {
        "copy": (f"{_HERE}.copies:copy", "Copy an image to a tenant in another region (ECL)."),
        "copy-job list": (f"{_HERE}.copies:copy_job_list", "List copy jobs."),
        "copy-job show": (f"{_HERE}.copies:copy_job_show", "Show a copy job."),
        "copy-job cancel": (f"{_HERE}.copies:copy_job_cancel", "Cancel a copy job."),
        "transfer": (f"{_HERE}.transfer:transfer", "Stream an image to another cloud in clouds.yaml."),
        "sync": (f"{_HERE}.sync:sync", "Apply a manifest of images to one or more clouds."),
    },
    "The service": {
        "usage": (f"{_HERE}.usage:usage", "Show the usage and the limits of the project."),
        "license list": (f"{_HERE}.licenses:license_list", "List the types."),
        "schema show": (f"{_HERE}.schemas:schema_show", "Show a JSON Schema."),
        "store list": (f"{_HERE}.stores:store_list", "List the stores of the cloud."),
        "store remove": (f"{_HERE}.stores:store_remove", "Delete the data of an image from one store."),
        "task list": (f"{_HERE}.tasks:task_list", "List tasks, of one image or of the cloud."),
        "task show": (f"{_HERE}.tasks:task_show", "Show a task."),
        "task create": (f"{_HERE}.tasks:task_create", "Create a task."),
        "cache list": (f"{_HERE}.caches:cache_list", "List the cached and queued images."),
        "cache nodes": (f"{_HERE}.caches:cache_nodes", "List the nodes that have an image in their cache."),
        "cache queue": (f"{_HERE}.caches:cache_queue", "Queue images for the cache."),
        "cache delete": (f"{_HERE}.caches:cache_delete", "Remove images from the cache."),
        "cache clear": (f"{_HERE}.caches:cache_clear", "Remove all images from the cache."),
        "cache clean": (f"{_HERE}.caches:cache_clean", "Remove invalid and stalled entries from the cache."),
        "cache prune": (f"{_HERE}.caches:cache_prune", "Shrink the cache to its maximum size."),
    },
    "Metadata definitions": {
        "metadef namespace list": (f"{_HERE}.metadef_namespaces:namespace_list", "List namespaces."),
        "metadef namespace show": (f"{_HERE}.metadef_namespaces:namespace_show", "Show a namespace and its content."),
        "metadef namespace create": (f"{_HERE}.metadef_namespaces:namespace_create", "Create a namespace."),
        "metadef namespace update": (f"{_HERE}.metadef_namespaces:namespace_update", "Change a namespace."),
        "metadef namespace delete": (f"{_HERE}.metadef_namespaces:namespace_delete", "Delete namespaces."),
        "metadef object list": (f"{_HERE}.metadef_objects:object_list", "List the objects of a namespace."),
        "metadef object show": (f"{_HERE}.metadef_objects:object_show", "Show an object, or one of its properties."),
        "metadef object create": (f"{_HERE}.metadef_objects:object_create", "Create an object."),
        "metadef object update": (f"{_HERE}.metadef_objects:object_update", "Change an object."),
        "metadef object delete": (f"{_HERE}.metadef_objects:object_delete", "Delete objects."),
        "metadef property list": (f"{_HERE}.metadef_properties:property_list", "List the properties of a namespace."),
        "metadef property show": (f"{_HERE}.metadef_properties:property_show", "Show a property."),
        "metadef property create": (f"{_HERE}.metadef_properties:property_create", "Create a property."),
        "metadef property update": (f"{_HERE}.metadef_properties:property_update", "Change a property."),
        "metadef property delete": (f"{_HERE}.metadef_properties:property_delete", "Delete properties."),
        "metadef resource-type list": (
            f"{_HERE}.metadef_namespaces:resource_type_list",
            "List the resource types of a namespace, or all.",
        ),
        "metadef resource-type add": (
            f"{_HERE}.metadef_namespaces:resource_type_add",
            "Associate a namespace with a resource type.",
        ),
        "metadef resource-type remove": (
            f"{_HERE}.metadef_namespaces:resource_type_remove",
            "Remove such an association.",
        ),
        "metadef tag list": (f"{_HERE}.metadef_tags:tag_list", "List the tags of a namespace."),
        "metadef tag show": (f"{_HERE}.metadef_tags:tag_show", "Show a tag."),
        "metadef tag create": (f"{_HERE}.metadef_tags:tag_create", "Add tags to a namespace."),
        "metadef tag update": (f"{_HERE}.metadef_tags:tag_update", "Rename a tag."),
        "metadef tag delete": (f"{_HERE}.metadef_tags:tag_delete", "Delete tags."),
    },
}
COMMANDS = {name: found for section in SECTIONS.values() for name, found in section.items()}

_GROUPS = {
    "cache": "The cloud's cache of images; administrators.",
    "copy-job": "Copy jobs of ECL.",
    "license": "Licence switch types of ECL.",
    "location": "Addresses of an image's data.",
    "member": "Projects that an image is shared with.",
    "metadef": "Definitions of properties and tags.",
    "metadef namespace": "Groups of definitions.",
    "metadef object": "Groups of properties.",
    "metadef property": "Custom properties: their types and values.",
    "metadef resource-type": "Kinds of resource that a namespace describes.",
    "metadef tag": "Tags that a namespace offers.",
    "schema": "JSON Schemas of images, members and so on.",
    "store": "Stores of the cloud.",
    "tag": "Tags of an image.",
    "task": "Tasks of the cloud, such as imports.",
}

#: Other names for the subcommands, from eclcli, openstackclient, and earlier versions.
ALIASES = {
    "set": "update",
    "save": "download",
    "add-member": "member add",
    "add project": "member add",
    "remove-member": "member remove",
    "remove project": "member remove",
    "update-member": "member set",
    "member-list": "member list",
    "member get": "member show",
    "tag-add": "tag add",
    "tag-remove": "tag remove",
    "copy-job-list": "copy-job list",
    "copy-job-show": "copy-job show",
    "copy-job-cancel": "copy-job cancel",
    "cancel-copy": "copy-job cancel",
    "license-list": "license list",
    "schema-show": "schema show",
    "stores": "store list",
    "stores list": "store list",
    "stores info": "store list",
    "metadef namespace set": "metadef namespace update",
    "metadef property set": "metadef property update",
    "metadef resource type list": "metadef resource-type list",
    "metadef resource type association list": "metadef resource-type list",
    "metadef resource type association create": "metadef resource-type add",
    "metadef resource type association delete": "metadef resource-type remove",
    "metadef resource-type create": "metadef resource-type add",
    "metadef resource-type delete": "metadef resource-type remove",
}


@click.group(cls=LazyGroup, table=COMMANDS, aliases=ALIASES, groups=_GROUPS, sections=SECTIONS)
def image() -> None:
    """
    Work with images: list, show, create, copy, share and more.

    IMAGE is the ID or the name of an image.
    """
