"""Options that say what an image is; creating, changing and publishing share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ecl.cli._suggest import hint

__all__ = [
    "attribute_options",
    "attributes",
    "bandwidth_option",
    "key_value",
    "properties_of",
    "upload_options",
    "yes_option",
]

C = TypeVar("C", bound=Callable[..., Any])

#: Formats that a Glance takes; another cloud may take others, so these are for the nearest word only.
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")
CONTAINER_FORMATS = ("bare", "ovf", "ova", "docker", "compressed", "ami", "ari", "aki")
_MOST = 2**31 - 1

# Options that stand for a property.
_PROPERTIES = {
    "--architecture": ("architecture", "Property architecture: x86_64 …"),
    "--instance-id": ("instance_uuid", "Property instance_uuid: the server that it was made from."),
    "--instance-uuid": ("instance_uuid", "The same."),
    "--kernel-id": ("kernel_id", "Property kernel_id: the image of a kernel."),
    "--os-distro": ("os_distro", "Property os_distro: debian …"),
    "--os-version": ("os_version", "Property os_version: 13 …"),
    "--ramdisk-id": ("ramdisk_id", "Property ramdisk_id: the image of a RAM disk."),
    "--license-switch": ("license_switch", "Property license_switch: one of license-list (ECL)."),
}

_ATTRIBUTES = ("disk_format", "container_format", "min_disk", "min_ram", "protected", "os_hidden", "visibility")
# What the parameters are called that set an attribute, in one command or another. --size and --file set none.
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
    """Turn ``KEY=VALUE`` texts into the properties of an image. Raises BadParameter, for its attributes too."""
    found = key_value(ctx, param, values)
    if found:
        from ecl.image.v2.image import BASE_ATTRIBUTES

        for name in found:
            if name in BASE_ATTRIBUTES:
                said = f"{name!r} is an attribute of an image, not a property; {_instead(ctx.command, name)}."
                raise click.BadParameter(said, ctx, param)
    return found


def _instead(command: click.Command, attribute: str) -> str:
    """Return what a user can do who wants to give an *attribute*."""
    names = _PARAMETERS.get(attribute, ())
    words: list[str] = []
    for param in command.params:
        if param.name in names:
            named = isinstance(param, click.Option)
            words += [*param.opts, *param.secondary_opts] if named else [f"the argument {param.human_readable_name}"]
    return f"use {' or '.join(words)}" if words else "this command cannot set it"


def _format(known: tuple[str, ...]) -> Any:
    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is not None and value.lower() not in known:
            raise click.BadParameter(f"there is no format {value!r}; {hint(value, known)}", ctx, param)
        return value.lower() if value is not None else None

    return check


def attribute_options(command: C) -> C:
    """Add the options that say what an image is; :func:`attributes` makes attributes of them."""
    options = [
        click.option("--disk-format", callback=_format(DISK_FORMATS), metavar="FORMAT",
                     help=f"{', '.join(DISK_FORMATS)}."),
        click.option("--container-format", callback=_format(CONTAINER_FORMATS), metavar="FORMAT",
                     help=f"{', '.join(CONTAINER_FORMATS)}."),
        click.option("--min-disk", type=click.IntRange(0, _MOST), metavar="GB", help="Disk that booting it takes."),
        click.option("--min-ram", type=click.IntRange(0, _MOST), metavar="MB", help="Memory that booting it takes."),
        click.option("--protected/--unprotected", "protected", default=None, help="Can it be deleted?"),
        click.option("--hidden/--unhidden", "os_hidden", default=None, help="Do default lists leave it out?"),
        *(click.option(f"--{each}", "visibility", flag_value=each, help=text) for each, text in _VISIBILITIES.items()),
        click.option("--property", "properties", multiple=True, callback=properties_of, metavar="KEY=VALUE",
                     help="A property; repeatable."),
        click.option("--tag", "tags", multiple=True, help="A tag; repeatable."),
        *(click.option(name, f"property_{key}" if name != "--instance-uuid" else "property_instance_uuid_",
                       metavar="TEXT", help=text) for name, (key, text) in _PROPERTIES.items()),
        click.option("--project-domain", hidden=True),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


_VISIBILITIES = {
    "public": "Everybody sees it.",
    "private": "Only this project sees it.",
    "community": "Everybody may use it; lists do not show it.",
    "shared": "Projects that are its members see it.",
}


def attributes(options: dict[str, Any]) -> dict[str, Any]:
    """Return what was given of the attribute options but tags: attributes, and *properties*, if there are any."""
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
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(command)


class Rate(click.ParamType[int]):
    """Bytes a second: a number, with K, M or G for powers of 1000."""

    name = "RATE"
    _units = {"k": 10**3, "m": 10**6, "g": 10**9}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes a second. Raises BadParameter."""
        text = str(value).lower().removesuffix("/s").removesuffix("b")
        factor = self._units.get(text[-1:], 1)
        number = text if factor == 1 else text[:-1]
        try:
            rate = int(float(number) * factor)
        except (ValueError, OverflowError):
            rate = 0
        if rate < 1:
            self.fail(f"{value!r} is no rate, such as 500K or 20M (bytes a second).", param, ctx)
        return rate


def bandwidth_option(command: C) -> C:
    """Add ``--max-bandwidth``."""
    text = "Bytes a second, at most: 500K, 20M."
    return click.option("--max-bandwidth", type=Rate(), metavar="RATE", help=text)(command)


def upload_options(command: C) -> C:
    """Add the options that say how data is uploaded."""
    options = [
        click.option("--size", type=click.IntRange(0), metavar="BYTES", help="Bytes to come from standard input."),
        click.option("--force", is_flag=True, help="Upload even what looks dangerous, or of another format."),
        click.option("--decompress", is_flag=True, help="Decode gzip, bzip2, xz or zstd on the way."),
        bandwidth_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command
