"""``ecl image``: its subcommands, one module per noun."""

from __future__ import annotations

import click

from ecl.cli._command import LazyGroup

__all__ = ["ALIASES", "COMMANDS", "image"]

_HERE = "ecl.cli.image"

#: For each subcommand: where it is defined, and its line in ``ecl image --help``.
COMMANDS = {
    "list": (f"{_HERE}.listing:list_images", "List images."),
    "show": (f"{_HERE}.listing:show", "Show an image."),
    "create": (f"{_HERE}.create:create", "Create an image, usually from a file."),
    "update": (f"{_HERE}.update:update", "Change an image."),
    "unset": (f"{_HERE}.update:unset", "Remove tags and properties from an image."),
    "delete": (f"{_HERE}.delete:delete", "Delete images."),
    "download": (f"{_HERE}.data:download", "Download the data of an image and verify it."),
    "upload": (f"{_HERE}.data:upload", "Upload data to an image that has none."),
    "publish": (f"{_HERE}.publish:publish", "Replace the images of a name by a new one."),
    "add-member": (f"{_HERE}.members:add_member", "Share an image with a project."),
    "remove-member": (f"{_HERE}.members:remove_member", "Stop sharing an image with a project."),
    "update-member": (f"{_HERE}.members:update_member", "Accept or reject a shared image."),
    "member-list": (f"{_HERE}.members:member_list", "List the projects that an image is shared with."),
    "share": (f"{_HERE}.members:share", "Share an image and accept it in the other project."),
    "tag-add": (f"{_HERE}.tags:tag_add", "Add tags to an image."),
    "tag-remove": (f"{_HERE}.tags:tag_remove", "Remove tags from an image."),
    "copy": (f"{_HERE}.copies:copy", "Copy an image to a tenant in another region (ECL)."),
    "copy-job-list": (f"{_HERE}.copies:copy_job_list", "List copy jobs (ECL)."),
    "copy-job-show": (f"{_HERE}.copies:copy_job_show", "Show a copy job (ECL)."),
    "cancel-copy": (f"{_HERE}.copies:cancel_copy", "Cancel a copy job (ECL)."),
    "transfer": (f"{_HERE}.transfer:transfer", "Stream an image to another cloud in clouds.yaml."),
    "sync": (f"{_HERE}.sync:sync", "Apply a manifest of images to one or more clouds."),
    "activate": (f"{_HERE}.activation:activate", "Allow downloads of a deactivated image again."),
    "deactivate": (f"{_HERE}.activation:deactivate", "Forbid downloads of an image."),
    "stage": (f"{_HERE}.imports:stage", "Upload data to the staging area, for import."),
    "import": (f"{_HERE}.imports:import_image", "Let the cloud fetch the data of an image."),
    "stores": (f"{_HERE}.stores:stores", "List the stores of the cloud."),
    "license-list": (f"{_HERE}.licenses:license_list", "List licence switch types (ECL)."),
    "schema-show": (f"{_HERE}.schemas:schema_show", "Show the JSON Schema of images, members and so on."),
}

#: Other names for the subcommands, from eclcli and openstackclient.
ALIASES = {
    "set": "update",
    "save": "download",
    "add project": "add-member",
    "remove project": "remove-member",
    "member list": "member-list",
    "copy-job-cancel": "cancel-copy",
    "stores list": "stores",
}


@click.group(cls=LazyGroup, table=COMMANDS, aliases=ALIASES)
def image() -> None:
    """
    Work with images: list, show, create, copy, share and more.

    IMAGE is the ID or the name of an image.
    """
