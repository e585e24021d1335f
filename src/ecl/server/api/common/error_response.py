"""Error responses of the image API, in the format that Glance chooses for the request's Accept header."""

from __future__ import annotations

from html import escape

import msgspec
from starlette.responses import Response

from ecl.server.errors import ServiceError
from ecl.server.http.errors import headers_of, reason, status_of

__all__ = ["error_response", "preferred_error_type"]

_HTML, _JSON, _PLAIN = "text/html", "application/json", "text/plain"
#: Most media ranges that are read from one Accept header; the rest is ignored.
_MAX_RANGES = 50


def error_response(error: ServiceError, accept: str | None) -> Response:
    """Return *error* as a response: an HTML page, a flat JSON object, or plain text."""
    status = status_of(error)
    title = reason(status)
    code = f"{status} {title}"
    media_type = preferred_error_type(accept)
    if media_type == _JSON:
        content = msgspec.json.encode({"message": error.message, "code": code, "title": title})
    elif media_type == _HTML:
        page = (
            f"<html><head><title>{code}</title></head>"
            f"<body><h1>{code}</h1> {escape(error.message)}<br /><br /></body></html>"
        )
        content = page.encode()
    else:
        content = f"{code}\n\n{error.message}\n".encode()
    if media_type != _JSON:
        media_type += "; charset=UTF-8"
    return Response(content, status, {**headers_of(error), "Content-Type": media_type})


def preferred_error_type(accept: str | None) -> str:
    """
    Return HTML if *accept* rates it at least as high as JSON, else JSON if *accept* allows it, else plain text.

    So ``*/*`` gives HTML, and no header gives plain text: clients rely on both. A malformed header counts as ``*/*``.
    """
    ranges = _parse_accept(accept or "")
    if ranges is None:
        return _HTML
    html, json = _quality(ranges, "text", "html"), _quality(ranges, "application", "json")
    if html > 0 and html >= json:
        return _HTML
    return _JSON if json > 0 else _PLAIN


def _parse_accept(accept: str) -> list[tuple[str, str, float]] | None:
    """Return type, subtype and quality of each range; None if one of them is not a media range."""
    ranges = []
    for item in accept.split(",", _MAX_RANGES)[:_MAX_RANGES]:
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        kind, slash, subtype = media_range.partition("/")
        if slash:
            ranges.append((kind, subtype, _q_value(parameters)))
        elif media_range:
            return None
    return ranges


def _q_value(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _quality(ranges: list[tuple[str, str, float]], kind: str, subtype: str) -> float:
    """Return the quality of the most specific range that matches, 0 for none."""
    for wanted in ((kind, subtype), (kind, "*"), ("*", "*")):
        matching = [quality for *media_range, quality in ranges if tuple(media_range) == wanted]
        if matching:
            return max(matching)
    return 0.0
