"""Lists, page by page."""

from __future__ import annotations

import contextvars
import re
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl._http.body import json_of
from ecl._http.sending import request

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike
    from ecl.service_filter import ServiceFilter

__all__ = ["below_endpoint", "counting", "pages"]

#: Pages of one list, at most: a service whose links never end is broken.
MOST_PAGES = 100_000

_ON_PAGE: contextvars.ContextVar[Callable[[int], object] | None] = contextvars.ContextVar("on_page", default=None)


@contextmanager
def counting(on_page: Callable[[int], object]) -> Iterator[None]:
    """Within it, call *on_page* with the number of items of each page that comes: who reads a list can stop there."""
    token = _ON_PAGE.set(on_page)
    try:
        yield
    finally:
        _ON_PAGE.reset(token)


def pages(session: SessionLike, path: str, query: Any, service: ServiceFilter, key: str) -> Iterator[dict[str, Any]]:
    """
    Yield the body of each page, following ``next``.

    Args:
        query: Parameters of the first page; a link to the next has its own.
        key: Key of the list in a body. A body that is a bare list is put under it.

    Raises:
        InvalidResponse: An answer is no list, or the links go round in a circle, or do not end.
    """
    seen: set[str] = set()
    while True:
        response = request(session, "GET", path, service=service, params=query)
        page = json_of(response)
        if isinstance(page, list):
            page = {key: page}
        if not isinstance(page, dict) or not isinstance(page.get(key), list):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a list")
        if not all(isinstance(item, dict) for item in page[key]):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a list of objects")
        on_page = _ON_PAGE.get()
        if on_page is not None:
            on_page(len(page[key]))
        yield page
        following = page.get("next")
        if not isinstance(following, str) or not following or not page[key]:
            return
        if following in seen:
            raise exceptions.InvalidResponse(response, f"The pages of {response.url} go round in a circle")
        seen.add(following)
        if len(seen) >= MOST_PAGES:
            raise exceptions.InvalidResponse(response, f"The list of {response.url} does not end: {len(seen)} pages")
        path, query = below_endpoint(following), None


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
