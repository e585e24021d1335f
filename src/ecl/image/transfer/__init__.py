"""
Bytes in and out: one pass, in constant memory, verified.

:func:`upload` and :func:`download` are what the proxy's methods call; :func:`copy` streams an image from one cloud to
another; a :class:`Bandwidth` limits several transfers together.
"""

from __future__ import annotations

from ecl.image.transfer._bandwidth import Bandwidth
from ecl.image.transfer._options import UploadOptions
from ecl.image.transfer._progress import ProgressCallback
from ecl.image.transfer._source import ImageData
from ecl.image.transfer.copy import copy
from ecl.image.transfer.download import download
from ecl.image.transfer.upload import upload

__all__ = ["Bandwidth", "ImageData", "ProgressCallback", "UploadOptions", "copy", "download", "upload"]
