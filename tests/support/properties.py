"""Properties of any name and value, for hypothesis."""

from __future__ import annotations

import inspect

from hypothesis import strategies as st

from ecl.image import transfer
from ecl.image.v2._creating import create_with_data
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import BASE_ATTRIBUTES, Image

__all__ = ["PYTHON_NAMES", "properties_of_any_name"]

# What a service keeps for itself, and what it takes some values of only.
_NOT_ANY = {"location", "deleted", "deleted_at", "license_switch"}


def _parameters(function: object) -> set[str]:
    return set(inspect.signature(function).parameters)  # type: ignore[arg-type]  # all of them are callable


#: What Python calls something, and a property may be called, too.
PYTHON_NAMES = sorted(
    {
        *_parameters(Proxy.create_image),
        *_parameters(transfer.copy),
        *_parameters(create_with_data),
        *(name for name in dir(Image) if not name.startswith("_")),
        *("cls", "properties", "synchronized"),
    }
    - BASE_ATTRIBUTES
    - _NOT_ANY
)


def properties_of_any_name(not_in_names: str = "") -> st.SearchStrategy[dict[str, str]]:
    """
    Return a strategy of one to four properties that Glance takes.

    Args:
        not_in_names: Characters that no name has.
    """
    text = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    in_names = st.characters(exclude_categories=["Cs"], exclude_characters="\0" + not_in_names)
    names = st.sampled_from(PYTHON_NAMES) | st.text(in_names, min_size=1, max_size=255)
    return st.dictionaries(
        names.filter(lambda name: name not in BASE_ATTRIBUTES | _NOT_ANY and not name.startswith("os_glance")),
        st.text(text, max_size=300),
        min_size=1,
        max_size=4,
    )
