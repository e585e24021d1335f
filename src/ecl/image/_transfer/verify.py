"""Are these the bytes that the service has a hash of?"""

from __future__ import annotations

import hashlib
import logging
import weakref
from collections.abc import Callable, Iterable, Mapping

from ecl import exceptions
from ecl.image._transfer.ports import Described

__all__ = ["expected_algorithms", "remember", "usable", "verify"]

_log = logging.getLogger(__name__)

#: Which hash a cloud uses beside md5. Glance does not say before there is data; this is its default.
DEFAULT_ALGORITHM = "sha512"

# What each cloud, by the object that stands for it, was seen to use.
_seen: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()


def usable(algorithm: str | None) -> str | None:
    """Return *algorithm* if it can be computed here, else None."""
    try:
        # Algorithms of variable length say 0.
        return algorithm if algorithm and hashlib.new(algorithm, usedforsecurity=False).digest_size else None
    except ValueError:
        return None


def expected_algorithms(cloud: object, readable_again: bool) -> list[str]:
    """
    Return the algorithms to compute during an upload.

    If the cloud uses another one, a source that can be read again is hashed again. For one that cannot, md5 is
    computed as well: every cloud has it.
    """
    likely = _seen.get(cloud, DEFAULT_ALGORITHM)
    return [likely] if readable_again or likely == "md5" else [likely, "md5"]


def remember(cloud: object, image: Described) -> None:
    """Remember which hash a cloud uses: that of its image, or the one that it announces."""
    algorithm = usable(image.os_hash_algo or image.announced_hash_algo)
    if algorithm:
        _seen[cloud] = algorithm


def verify(
    image: Described,
    size: int,
    digests: Mapping[str, str],
    again: Callable[[], Iterable[bytes]] | None = None,
) -> None:
    """
    Compare the bytes that were moved with the size and hash of the service.

    Args:
        size: Bytes that were moved.
        digests: Algorithm to hexadecimal hash, of what was moved.
        again: Yields the bytes once more, for when the service uses none of these algorithms.

    Raises:
        DigestMismatch: Size or hash differ.
    """
    if image.size is not None and image.size != size:
        raise exceptions.DigestMismatch(f"Image {image.id} has {image.size} bytes at the service, {size} were moved")
    published = ((usable(image.os_hash_algo), image.os_hash_value), ("md5", image.checksum))
    known = {name: value for name, value in published if name and value}
    if not known:
        _log.warning("image %s has no hash at the service; only its size could be compared", image.id)
        return
    algorithm = next((name for name in known if name in digests), None)
    if algorithm is None and again is not None:
        algorithm = next(iter(known))
        digests = {algorithm: _hash(algorithm, again())}
    if algorithm is None:
        _log.warning("image %s has only %s at the service; not compared", image.id, ", ".join(known))
        return
    if digests[algorithm] != known[algorithm]:
        raise exceptions.DigestMismatch(
            f"The data of image {image.id} is damaged: its {algorithm} is {digests[algorithm]}, the service has"
            f" {known[algorithm]}; move it again"
        )


def _hash(algorithm: str, blocks: Iterable[bytes]) -> str:
    total = hashlib.new(algorithm, usedforsecurity=False)
    for block in blocks:
        total.update(block)
    return total.hexdigest()
