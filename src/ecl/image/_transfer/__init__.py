"""The engine that moves the bytes of images. Users import :mod:`ecl.image.transfer`."""
