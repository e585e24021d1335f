"""``/v2/cache``: what is in the image cache, and what is to come into it. For administrators."""

from __future__ import annotations

from dataclasses import asdict

from starlette.responses import Response

from ecl.server import threads
from ecl.server.api.common.request import ImageRequest
from ecl.server.api.common.routing import resource
from ecl.server.api.images.lookup import visible_image
from ecl.server.data.image_cache import ImageCache
from ecl.server.domain.access import image_not_found
from ecl.server.domain.image import Image
from ecl.server.errors import BadRequest, Forbidden, NotFound
from ecl.server.http.routing import empty, json_response

__all__ = ["ROUTES"]


def _cache(request: ImageRequest) -> ImageCache:
    if not request.caller.is_admin:
        raise Forbidden("The image cache needs the role admin.")
    cache = request.service.region.cache
    if cache is None:
        raise NotFound("This service has no image cache.")
    return cache


def _image(request: ImageRequest, image_id: str) -> Image:
    with request.service.database.read() as connection:
        return visible_image(connection, request.service.region.name, request.caller, image_id)


async def _list(request: ImageRequest) -> Response:
    cache, service = _cache(request), request.service
    queued = service.prefetcher.queued(service.region)
    return json_response({"cached_images": [asdict(copy) for copy in cache.listed()], "queued_images": queued})


async def _clear(request: ImageRequest) -> Response:
    cache, service = _cache(request), request.service
    target = request.headers.get("x-image-cache-clear-target", "").lower()
    if target not in ("", "cache", "queue"):
        raise BadRequest("The header x-image-cache-clear-target is cache or queue, or is left out for both.")
    if target != "cache":
        service.prefetcher.remove(service.region, service.prefetcher.queued(service.region))
    if target != "queue":
        await threads.touch(cache.clear)
    return empty()


async def _queue(request: ImageRequest) -> Response:
    cache, service = _cache(request), request.service
    image = await threads.query(_image, request, request.image_id)
    if image.status != "active":
        raise BadRequest(f"Image {image.id} is {image.status}; only an active image can be cached.")
    if not cache.has(image.id):
        service.prefetcher.add(service.region, image.id)
    return empty(202)


async def _delete(request: ImageRequest) -> Response:
    cache, service = _cache(request), request.service
    image_id = request.image_id
    if not cache.has(image_id) and image_id not in service.prefetcher.queued(service.region):
        try:
            await threads.query(_image, request, image_id)
        except NotFound as exc:
            raise image_not_found(image_id) from exc
    service.prefetcher.remove(service.region, [image_id])
    await threads.touch(cache.delete, image_id)
    return empty()


async def _clean(request: ImageRequest) -> Response:
    # What an earlier process left unfinished is removed at the start, and nothing else can be invalid.
    _cache(request)
    return Response()


async def _prune(request: ImageRequest) -> Response:
    count, freed = await threads.touch(_cache(request).prune)
    return json_response({"total_files_pruned": count, "total_bytes_pruned": freed})


async def _nodes(request: ImageRequest) -> Response:
    # Each service has a cache of its own.
    cache = _cache(request)
    image = await threads.query(_image, request, request.image_id)
    return json_response([request.endpoint] if cache.has(image.id) else [])


ROUTES = (
    resource("/v2/cache", GET=_list, DELETE=_clear),
    resource("/v2/cache/clean", POST=_clean),
    resource("/v2/cache/prune", POST=_prune),
    resource("/v2/cache/nodes/{image_id}", GET=_nodes),
    resource("/v2/cache/{image_id}", PUT=_queue, DELETE=_delete),
)
