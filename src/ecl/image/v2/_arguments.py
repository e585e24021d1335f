"""Keyword arguments of the image proxy: given or not, by openstacksdk's names, or misspelt."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, ParamSpec, TypeVar

from ecl import exceptions
from ecl.image.v2.image import BASE_ATTRIBUTES, Image

__all__ = ["for_create", "for_list", "for_update", "name_first"]

P = ParamSpec("P")
R = TypeVar("R")

#: openstacksdk's names of attributes, and the API's.
_ALIASES = {"is_protected": "protected", "is_hidden": "os_hidden", "owner_id": "owner"}

#: What an image can be created with, for a guess at what a misspelt name was meant to be.
_CREATED_WITH = frozenset({
    "name", "id", "disk_format", "container_format", "visibility", "min_disk", "min_ram", "tags", "protected",
    "os_hidden", "owner", "os_type", "service_type", "properties", "data", "filename", "progress", "force",
    "max_bandwidth", "decompress", "max_expanded", "allow_empty", "size", "sha256", "sha512", "md5", "sign_key",
    "sign_cert_id", "sign_key_password", *_ALIASES,
})  # fmt: skip

#: What a list can be asked for, beside any property.
_LISTED_BY = BASE_ATTRIBUTES | {
    "limit", "page_size", "marker", "sort", "sort_key", "sort_dir", "tag", "member_status", "size_min", "size_max",
    "os_type", "service_type", "properties", "paginated", *_ALIASES,
}  # fmt: skip

#: How much of two names must be the same to take one for the other.
_ALIKE = 0.82

# Arguments of openstacksdk's create_image(). These two are always so here.
_ALWAYS_SO = frozenset({"wait", "validate_checksum"})
# There is nothing here that they could change.
_WITHOUT_EFFECT = frozenset({"timeout", "container", "disable_vendor_agent"})
# They would make something else happen, if they say so.
_IMPORT = "create the image without data, then use import_image()"
_OTHERS = {
    **dict.fromkeys(("use_import", "import_method", "uri", "stores", "all_stores", "all_stores_must_succeed"), _IMPORT),
    **dict.fromkeys(("remote_region", "remote_image_id", "remote_service_interface"), _IMPORT),
    "meta": "give attributes by their names, and properties as a mapping 'properties'",
}


def name_first(method: Callable[P, R]) -> Callable[P, R]:
    """
    Let callers give *name* as the first argument, as openstacksdk's do.

    The documented signature has keywords only, and stays what tools see.
    """

    @functools.wraps(method)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        proxy, *names = args
        if not names:
            return method(*args, **kwargs)
        if len(names) > 1 or "name" in kwargs:
            raise TypeError(f"{method.__name__}() takes the name by position; give everything else by keyword")
        if not isinstance(names[0], str):
            raise exceptions.InvalidRequest(f"name must be text, not {type(names[0]).__name__}")
        by_keyword: Any = {**kwargs, "name": names[0]}
        return method(proxy, **by_keyword)  # type: ignore[arg-type]  # it is one P, and mypy sees an object

    return called


def for_create(attrs: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what to create an image with, and ``data`` where there is some.

    Args:
        attrs: What the caller gave under names that the method does not declare.
        declared: What it gave under those that it does; None stands for nothing.

    Raises:
        InvalidRequest: An argument of openstacksdk asks for what is done in another way here.
    """
    wanted = _of_create(attrs)
    _suspect(wanted, _CREATED_WITH)
    wanted = _by_api_names({**_given(declared), **wanted})
    filename = wanted.pop("filename", None)
    if filename is not None:
        if wanted.get("data") is not None:
            raise exceptions.InvalidRequest("filename and data are two sources of one image; give one")
        wanted["data"] = filename
    return wanted


def for_list(query: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters and the order of a list; the arguments are those of :func:`for_create`."""
    _suspect(query, _LISTED_BY)
    return _by_api_names({**_given(declared), **query})


def for_update(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes by the API's names, of attributes by Python's; None stays, because it removes a value."""
    _suspect(attrs, _CREATED_WITH)
    body, _, _ = Image._sorted(_by_api_names(attrs))
    return body


def _given(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if value is not None}


def _by_api_names(attrs: Mapping[str, Any]) -> dict[str, Any]:
    wanted = dict(attrs)
    for alias, name in _ALIASES.items():
        if alias not in wanted:
            continue
        if name in wanted:
            raise exceptions.InvalidRequest(f"{alias} and {name} are the same; give one")
        wanted[name] = wanted.pop(alias)
    return wanted


def _of_create(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return *attrs* without what only openstacksdk's create_image() knows."""
    wanted = dict(attrs)
    if wanted.pop("allow_duplicates", True) is False:
        raise exceptions.InvalidRequest(
            "allow_duplicates=False has no meaning here: names need not be unique; ask find_image() first"
        )
    for name, instead in _OTHERS.items():
        if wanted.get(name) in (None, False) or wanted.get(name) == {}:
            wanted.pop(name, None)
        elif name in wanted:
            raise exceptions.InvalidRequest(
                f"{name} is an argument of openstacksdk's create_image() that this one does not have: {instead}."
                f" A property of that name goes into the mapping 'properties'"
            )
    for name in _WITHOUT_EFFECT & wanted.keys():
        _warn(
            f"{name} has no effect on create_image() here; a property of that name goes into the mapping 'properties'"
        )
    return {name: value for name, value in wanted.items() if name not in _ALWAYS_SO | _WITHOUT_EFFECT}


def _suspect(attrs: Mapping[str, Any], known: Collection[str]) -> None:
    """Warn of names that look like a misspelt *known* one."""
    # Loaded only where a property is given.
    import difflib

    for name in attrs:
        if name == "is_public":
            _warn("is_public is taken for a property; did you mean visibility='public'?")
        if name in known or not name.isidentifier():
            continue
        alike = difflib.get_close_matches(name, sorted(known), 1, _ALIKE)
        if alike:
            _warn(
                f"{name!r} is taken for a property; did you mean {alike[0]!r}? A property that is really called so"
                " goes into the mapping 'properties'"
            )


def _warn(text: str) -> None:
    """Warn where the user's own code called this library."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("ecl."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
