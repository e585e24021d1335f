"""The pytest plugin under its earlier name, which environments that were installed before still load."""

from __future__ import annotations

from ecl.testing.plugin import *  # noqa: F403 - pytest takes the fixtures from this module
