"""``ecl image``: its subcommands, one module for each subject."""

from __future__ import annotations

import click

from ecl.cli._command import LazyGroup

__all__ = ["ALIASES", "COMMANDS", "image"]

_HERE = "ecl.cli.image"

#: Each subcommand: where it is, and its line in ``ecl image --help``.
COMMANDS = {
    "list": (f"{_HERE}.listing:list_images", "List images."),
    "show": (f"{_HERE}.listing:show", "Show an image."),
    "create": (f"{_HERE}.create:create", "Create an image, most often from a file."),
    "update": (f"{_HERE}.update:update", "Change an image."),
    "unset": (f"{_HERE}.update:unset", "Take tags and properties off an image."),
    "delete": (f"{_HERE}.delete:delete", "Delete images."),
    "download": (f"{_HERE}.data:download", "Download the data of an image, verified."),
    "upload": (f"{_HERE}.data:upload", "Upload data into an image that has none."),
    "publish": (f"{_HERE}.publish:publish", "Put a new image in the place of those of that name."),
    "add-member": (f"{_HERE}.members:add_member", "Share an image with a project."),
    "remove-member": (f"{_HERE}.members:remove_member", "Stop sharing an image with a project."),
    "update-member": (f"{_HERE}.members:update_member", "Accept or reject an image that is shared with you."),
    "member-list": (f"{_HERE}.members:member_list", "List the projects that an image is shared with."),
    "share": (f"{_HERE}.members:share", "Share an image, and accept it in the other project."),
    "tag-add": (f"{_HERE}.tags:tag_add", "Attach tags to an image."),
    "tag-remove": (f"{_HERE}.tags:tag_remove", "Take tags off an image."),
    "copy": (f"{_HERE}.copies:copy", "Copy an image to a tenant in another region (ECL)."),
    "copy-job-list": (f"{_HERE}.copies:copy_job_list", "List copy jobs (ECL)."),
    "copy-job-show": (f"{_HERE}.copies:copy_job_show", "Show a copy job (ECL)."),
    "cancel-copy": (f"{_HERE}.copies:cancel_copy", "Cancel a copy job (ECL)."),
    "transfer": (f"{_HERE}.transfer:transfer", "Stream an image to another cloud of clouds.yaml."),
    "sync": (f"{_HERE}.sync:sync", "Make a manifest of images true in one or many clouds."),
    "activate": (f"{_HERE}.activation:activate", "Let a deactivated image be downloaded again."),
    "deactivate": (f"{_HERE}.activation:deactivate", "Let nobody download the data of an image."),
    "stage": (f"{_HERE}.imports:stage", "Send data to the staging area, for import."),
    "import": (f"{_HERE}.imports:import_image", "Have the cloud bring the data of an image."),
    "stores": (f"{_HERE}.stores:stores", "List the stores of the cloud."),
    "license-list": (f"{_HERE}.licenses:license_list", "List licence switch types (ECL)."),
    "schema-show": (f"{_HERE}.schemas:schema_show", "Show the JSON Schema of an image, a member …"),
}

#: Other names for them: those of eclcli and of openstackclient.
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
    Images: list, show, create, copy, share and all else.

    An image is named by its ID or by its name.
    """
