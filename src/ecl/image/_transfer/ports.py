"""
What the engine asks of an image, and of the service that has it.

The engine knows no resources and no paths of an API: :mod:`ecl.image.v2` binds these ports to its own.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import requests

    from ecl.image._transfer.body import Body

__all__ = ["Described", "RemoteImage"]


class Described(Protocol):
    """What a service says of an image; None stands for what it does not say."""

    @property
    def id(self) -> str | None:
        """The image's ID."""

    @property
    def status(self) -> str | None:
        """``queued``, ``saving``, ``active`` …"""

    @property
    def size(self) -> int | None:
        """Bytes."""

    @property
    def disk_format(self) -> str | None:
        """``raw``, ``qcow2`` …"""

    @property
    def container_format(self) -> str | None:
        """``bare`` if it is in nothing."""

    @property
    def min_disk(self) -> int | None:
        """GB."""

    @property
    def checksum(self) -> str | None:
        """MD5, hexadecimal."""

    @property
    def os_hash_algo(self) -> str | None:
        """Algorithm of the second hash."""

    @property
    def os_hash_value(self) -> str | None:
        """Hexadecimal."""

    @property
    def announced_hash_algo(self) -> str | None:
        """The algorithm that the service is going to use, if it says so before there is data."""


class RemoteImage(Protocol):
    """One image at one service."""

    @property
    def cloud(self) -> object:
        """The same object for all images of one service: which hash it uses is remembered for it."""

    @property
    def known(self) -> Described:
        """What is known without a request; perhaps no more than the ID."""

    @property
    def patience(self) -> float:
        """Seconds that the answer to an upload is waited for."""

    def describe(self) -> Described:
        """Ask the service. Raises NotFoundException."""

    def renew_token(self) -> None:
        """Get a token that lasts for a long request."""

    def open(self, byte_range: str | None, cancelled: threading.Event) -> requests.Response:
        """
        Ask for the data; return the answer when its headers have come.

        Args:
            byte_range: A Range header: ``bytes=0-99``; None asks for all.
            cancelled: No further attempt is made once it is set.

        Raises:
            HttpException: The service refused.
        """

    def send(self, body: Body, to: Literal["file", "stage"]) -> None:
        """Send the data: as the image's file, or to the staging area. Raises HttpException."""
