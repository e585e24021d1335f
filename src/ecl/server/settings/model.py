"""One typed object with every setting of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

__all__ = [
    "ImageLimits",
    "ImportMethod",
    "ImportSettings",
    "PropertyRule",
    "RegionSettings",
    "Settings",
    "StoreSettings",
]

ImportMethod = Literal["glance-direct", "web-download", "copy-image", "glance-download"]


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
    #: What one project may have in one region; -1: no limit. Images, and those that are being filled.
    image_count_total: int = -1
    image_count_uploading: int = -1
    #: MiB that a project's images take in the stores (twice, if two have them), and in the staging area.
    image_size_total: int = -1
    image_stage_total: int = -1


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place for image bytes: a folder."""

    #: What clients call it.
    name: str
    #: None: ``images/<region>/<name>`` in the data folder; of the store called ``folder``: ``images/<region>``.
    dir: Path | None = None
    description: str | None = None
    #: What is there can be read; nothing is added to it or removed from it.
    read_only: bool = False


class ImportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How images come in other than by upload, and from where the service itself fetches them."""

    methods: tuple[ImportMethod, ...] = ("glance-direct", "web-download", "copy-image", "glance-download")
    #: Imports that run at once.
    workers: int = 2
    #: Ports that web-download connects to; empty: all.
    allowed_ports: tuple[int, ...] = (80, 443)
    #: Networks beyond the public internet that web-download connects to (``10.1.0.0/16``): none.
    allowed_networks: tuple[str, ...] = ()
    #: Redirects that it follows; each is checked as the first address was.
    max_redirects: int = 5
    #: Seconds that one download may take, and that its server may be silent.
    timeout: int = 6 * 3600
    idle_timeout: int = 60


class PropertyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Who may do what with the custom properties whose name *pattern* matches.

    Each of the four is a list of roles; ``@`` is everybody, and an empty list nobody. The first rule that matches
    a name is the one that counts; where there are rules and none matches, nobody may do anything.
    """

    #: A regular expression, found anywhere in the name unless it is anchored.
    pattern: str
    create: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


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
    #: Several places for image bytes in place of *store_dir*.
    stores: tuple[StoreSettings, ...] = ()
    #: Where new images go when the client does not say; None: the first that is not read-only.
    default_store: str | None = None

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
    #: None: the address that the client itself used (its Host header).
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: SQLAlchemy URL; None: SQLite in the data folder.
    database_url: str | None = None
    regions: tuple[RegionSettings, ...] = (RegionSettings("jp1"), RegionSettings("jp2"))
    #: Folder of metadata definitions (``*.json``): at each start, those that a region does not have yet are added.
    metadefs_dir: Path | None = None
    #: The second hash of every image, beside md5 (``os_hash_algo``).
    hash_algorithm: Literal["sha512", "sha256"] = "sha512"
    #: Seconds that a token lives.
    token_lifetime: int = 3600
    #: Seconds that requests in flight get to finish after Ctrl-C or SIGTERM.
    shutdown_timeout: int = 30
    #: Copies between regions that run at once.
    replicator_workers: int = 2
    #: Write one line for each request, as text or as a JSON object.
    access_log: bool = False
    access_log_format: Literal["text", "json"] = "text"
    #: Who may read /metrics without an administrator's token, unless a proxy stands in between.
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    limits: ImageLimits = ImageLimits()
    imports: ImportSettings = ImportSettings()
    #: Protected properties; none: a project does what it likes with the properties of its images.
    property_rules: tuple[PropertyRule, ...] = ()
