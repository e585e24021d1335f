"""One typed object with every setting of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

__all__ = ["ImageLimits", "RegionSettings", "Settings"]


class ImageLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on what a client can make the service hold. Names and defaults are Glance's."""

    #: Most bytes of one image.
    image_size_cap: int = 1 << 40
    #: Most custom properties, tags and members of one image.
    image_property_quota: int = 128
    image_tag_quota: int = 128
    image_member_quota: int = 128
    #: Items of a page: when the client gives no limit, and at most.
    limit_param_default: int = 25
    api_limit_max: int = 1000
    #: Most bytes of a JSON request body.
    max_json_body: int = 1 << 20


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One region: served by this process, or, with *url*, by another one.

    A region of another process is only a destination of image copies. To write there, the replicator logs in at
    that process's Keystone as a user with the admin role.
    """

    name: str
    #: Licence switch types that images of this region may have.
    license_switch_types: tuple[str, ...] = ()
    #: Official template types (property ``.official_image_template``) that can be copied to this region;
    #: None: all of them.
    official_image_templates: tuple[str, ...] | None = None
    #: Disk formats that this region accepts from a copy; None: every format that Glance knows.
    disk_formats: tuple[str, ...] | None = None
    #: Folder of the image bytes; None: ``images/<name>`` in the data folder.
    store_dir: Path | None = None

    # Of a region that another process serves:
    url: str | None = None
    auth_url: str | None = None
    username: str | None = None
    password_file: Path | None = None
    project_name: str | None = None
    cacert: Path | None = None

    @property
    def is_remote(self) -> bool:
        """True if another process serves this region."""
        return self.url is not None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set; ``docs/service.md`` has the same list in prose."""

    data_dir: Path
    host: str = "127.0.0.1"
    #: 0 takes a free port.
    port: int = 9292
    #: How clients reach the service, for the catalog and Location headers (``https://image.example:9292``);
    #: None: the address it listens on.
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: SQLAlchemy URL; None: SQLite in the data folder.
    database_url: str | None = None
    regions: tuple[RegionSettings, ...] = (RegionSettings("jp1"), RegionSettings("jp2"))
    #: The second hash of every image, beside md5 (``os_hash_algo``).
    hash_algorithm: Literal["sha512", "sha256"] = "sha512"
    #: Seconds that a token lives.
    token_lifetime: int = 3600
    #: Seconds that requests in flight get to finish after Ctrl-C or SIGTERM.
    shutdown_timeout: int = 30
    #: Copies between regions that run at once.
    replicator_workers: int = 2
    access_log: bool = False
    limits: ImageLimits = ImageLimits()
