"""
Bytes in and out: one pass, in constant memory, verified.

:func:`upload` and :func:`download` are what the proxy's methods call; :func:`copy` streams an image from one cloud to
another; a :class:`Bandwidth` limits several transfers together.
"""

from __future__ import annotations

from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.download import download
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.source import ImageData
from ecl.image._transfer.upload import upload
from ecl.image.copying import copy

__all__ = ["Bandwidth", "ImageData", "ProgressCallback", "UploadOptions", "copy", "download", "upload"]
