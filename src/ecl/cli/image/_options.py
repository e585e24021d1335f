"""Options that several commands share: attributes of an image, uploads, confirmation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ecl.cli._completion import one_of
from ecl.cli._numbers import Rate, WholeNumber
from ecl.cli._suggest import hint

__all__ = [
    "CONTAINER_FORMATS",
    "DISK_FORMATS",
    "attribute_options",
    "attributes",
    "bandwidth_option",
    "key_value",
    "properties_of",
    "taken_options",
    "upload_options",
    "yes_option",
]

C = TypeVar("C", bound=Callable[..., Any])

#: Formats of Glance.
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")
CONTAINER_FORMATS = ("bare", "ovf", "ova", "docker", "compressed", "ami", "ari", "aki")
_MAX_INTEGER = 2**31 - 1
#: Hashes that data can be required to have.
HASHES = ("sha256", "sha512", "md5")
_UPLOAD = ("size", *HASHES, "allow_empty", "force", "decompress", "max_bandwidth")

# Options that set a property.
_PROPERTIES = {
    "--architecture": ("architecture", "Set the property architecture, such as x86_64."),
    "--instance-id": ("instance_uuid", "Set the property instance_uuid: the server that the image was made from."),
    "--instance-uuid": ("instance_uuid", "Same as --instance-id."),
    "--kernel-id": ("kernel_id", "Set the property kernel_id: the image with the kernel."),
    "--os-distro": ("os_distro", "Set the property os_distro, such as debian."),
    "--os-version": ("os_version", "Set the property os_version, such as 13."),
    "--ramdisk-id": ("ramdisk_id", "Set the property ramdisk_id: the image with the RAM disk."),
    "--license-switch": ("license_switch", "Set the property license_switch: a type from `license list` (ECL)."),
}

_ATTRIBUTES = ("disk_format", "container_format", "min_disk", "min_ram", "protected", "os_hidden", "visibility")
# For each attribute, the parameters that set it in some command. --size and --file set none.
_PARAMETERS = {
    **{name: {name} for name in (*_ATTRIBUTES, "name", "tags")},
    "id": {"image_id"},
    "owner": {"owner", "project"},
}


def key_value(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Turn ``KEY=VALUE`` texts into a dict. Raises BadParameter."""
    found = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE.", ctx, param)
        found[key] = text
    return found


def properties_of(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Turn ``KEY=VALUE`` texts into properties. Raises BadParameter, also for the name of an attribute."""
    found = key_value(ctx, param, values)
    if found:
        from ecl.image.v2.image import BASE_ATTRIBUTES

        for name in found:
            if name in BASE_ATTRIBUTES:
                problem = f"{name!r} is an attribute of an image, not a property; {_instead(ctx.command, name)}."
                raise click.BadParameter(problem, ctx, param)
    return found


def _instead(command: click.Command, attribute: str) -> str:
    """Return advice on how to set *attribute* with this command."""
    names = _PARAMETERS.get(attribute, ())
    words: list[str] = []
    for param in command.params:
        if param.name in names:
            is_option = isinstance(param, click.Option)
            words += (
                [*param.opts, *param.secondary_opts] if is_option else [f"the argument {param.human_readable_name}"]
            )
    return f"use {' or '.join(words)}" if words else "this command cannot set it"


def _format(known: tuple[str, ...]) -> Any:
    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is not None and value.lower() not in known:
            raise click.BadParameter(f"there is no format {value!r}; {hint(value, known)}", ctx, param)
        return value.lower() if value is not None else None

    return check


def attribute_options(command: C) -> C:
    """Add the options that set attributes; :func:`attributes` reads them."""
    options = [
        click.option("--disk-format", callback=_format(DISK_FORMATS), metavar="FORMAT",
                     shell_complete=one_of(DISK_FORMATS),
                     help=f"Disk format: {', '.join(DISK_FORMATS)}."),
        click.option("--container-format", callback=_format(CONTAINER_FORMATS), metavar="FORMAT",
                     shell_complete=one_of(CONTAINER_FORMATS),
                     help=f"Container format: {', '.join(CONTAINER_FORMATS)}."),
        click.option("--min-disk", type=WholeNumber(0, _MAX_INTEGER), metavar="GB",
                     help="Disk needed to boot the image."),
        click.option("--min-ram", type=WholeNumber(0, _MAX_INTEGER), metavar="MB",
                     help="Memory needed to boot the image."),
        click.option("--protected/--unprotected", "protected", default=None,
                     help="Protect the image from deletion, or allow it."),
        click.option("--hidden/--unhidden", "os_hidden", default=None,
                     help="Hide the image from default lists, or show it."),
        *(click.option(f"--{name}", "visibility", flag_value=name, help=text) for name, text in _VISIBILITIES.items()),
        click.option("--property", "properties", multiple=True, callback=properties_of, metavar="KEY=VALUE",
                     help="Set a property; repeatable."),
        click.option("--tag", "tags", multiple=True, help="Add a tag; repeatable."),
        *(click.option(name, f"property_{key}" if name != "--instance-uuid" else "property_instance_uuid_",
                       metavar="TEXT", help=text) for name, (key, text) in _PROPERTIES.items()),
        click.option("--project-domain", hidden=True),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


_VISIBILITIES = {
    "public": "Let every project see the image.",
    "private": "Let only this project see the image.",
    "community": "Let every project use the image, but do not list it for them.",
    "shared": "Let its members see the image.",
}


def attributes(options: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that the options set, without tags; *properties* is there if one is set."""
    found: dict[str, Any] = {}
    properties: dict[str, str] = dict(options["properties"])
    for name, value in options.items():
        if name.startswith("property_") and value is not None:
            properties[name.removeprefix("property_").removesuffix("_")] = value
    if properties:
        found["properties"] = properties
    for name in _ATTRIBUTES:
        if options[name] is not None:
            found[name] = options[name]
    return found


def yes_option(command: C) -> C:
    """Add ``--yes``."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")(command)


def bandwidth_option(command: C) -> C:
    """Add ``--max-bandwidth``."""
    text = "Limit in bytes per second, such as 500K or 20M."
    return click.option("--max-bandwidth", type=Rate(), metavar="RATE", help=text)(command)


def taken_options(options: dict[str, Any]) -> dict[str, Any]:
    """Take what :func:`upload_options` adds out of *options*; return it as arguments of the SDK."""
    return {name: options.pop(name) for name in _UPLOAD}


def upload_options(command: C) -> C:
    """Add the options that control an upload; :func:`taken_options` reads them."""
    options = [
        click.option("--size", type=WholeNumber(), metavar="BYTES",
                     help="Refuse data of another size; declares the size of standard input."),
        *(click.option(f"--{name}", metavar="HEX", help=f"Refuse data of another {name}.") for name in HASHES),
        click.option("--allow-empty", is_flag=True, help="Accept a file without a byte."),
        click.option("--force", is_flag=True,
                     help="Upload the file even if it looks unsafe, has another format or is no disk."),
        click.option("--decompress", is_flag=True, help="Decompress gzip, bzip2, xz or zstd during the upload."),
        bandwidth_option,
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
