"""The response to a list request: one page, with links to the first and the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from ecl.server.domain.paging import page_links
from ecl.server.http.routing import json_response

__all__ = ["page_response"]


def page_response(
    name: str,
    items: Sequence[dict[str, Any]],
    parameters: Sequence[tuple[str, str]],
    marker: str | None,
) -> Response:
    """
    Return one page of the list at ``/v2/<name>``.

    Args:
        name: As ``images`` or ``metadefs/namespaces``; the last word is the key of the items.
        parameters: The query of the request.
        marker: The marker of the next page; None if there is none, because this page is not full.
    """
    first, following = page_links(f"/v2/{name}", parameters, marker)
    body: dict[str, Any] = {name.rpartition("/")[2]: items, "first": first, "schema": f"/v2/schemas/{name}"}
    if following is not None:
        body["next"] = following
    return json_response(body)
