"""Lists, page by page: paths, links to the next page, and the bodies in between."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions

if TYPE_CHECKING:
    from ecl._http import SessionLike
    from ecl.service_filter import ServiceFilter

__all__ = ["below_endpoint", "fill", "pages"]


def pages(session: SessionLike, path: str, query: Any, service: ServiceFilter, key: str) -> Iterator[dict[str, Any]]:
    """
    Yield the body of each page, following ``next``.

    Args:
        query: Parameters of the first page; a link to the next has its own.
        key: Key of the list in a body. A body that is a bare list is put under it.

    Raises:
        InvalidResponse: An answer is no list, or the links go round in a circle.
    """
    seen: set[str] = set()
    while True:
        response = _http.request(session, "GET", path, service=service, params=query)
        page = _http.json_of(response)
        if isinstance(page, list):
            page = {key: page}
        if not isinstance(page, dict) or not isinstance(page.get(key), list):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a list")
        if not all(isinstance(item, dict) for item in page[key]):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a list of objects")
        yield page
        following = page.get("next")
        if not isinstance(following, str) or not following or not page[key]:
            return
        if following in seen:
            raise exceptions.InvalidResponse(response, f"The pages of {response.url} go round in a circle")
        seen.add(following)
        path, query = below_endpoint(following), None


def fill(base_path: str, values: Mapping[str, Any]) -> str:
    """Put quoted values into the ``%(name)s`` of a path."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        return _http.segment(values.get(name, ""), name.replace("_id", " ID"))

    return re.sub(r"%\((\w+)\)s", value_of, base_path)


def below_endpoint(link: str) -> str:
    """
    Return the path and query of a ``next`` link from its version on.

    The rest is dropped: the link may be relative to the endpoint or absolute, with the address that a proxy hides,
    and a token goes to no other host.
    """
    parts = urllib.parse.urlsplit(link)
    start = re.search(r"/v\d", parts.path)
    path = parts.path[start.start() :] if start else "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path
