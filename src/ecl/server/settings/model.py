"""One typed object with every setting of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

__all__ = [
    "HttpSettings",
    "ImageLimits",
    "ImportMethod",
    "ImportSettings",
    "KeystoneSettings",
    "PropertyRule",
    "RegionSettings",
    "ReplicatorTrust",
    "Settings",
    "StoreSettings",
    "UpkeepSettings",
]

ImportMethod = Literal["glance-direct", "web-download", "copy-image", "glance-download"]


class ImageLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on what clients can store. Names and defaults are Glance's, where it has them."""

    #: Most bytes of one image.
    image_size_cap: int = 1 << 40
    #: Most custom properties, tags and members of one image.
    image_property_quota: int = 128
    image_tag_quota: int = 128
    image_member_quota: int = 128
    #: Most bytes of one custom property's value, and of all that a client writes into an image: name, tags,
    #: properties and their names.
    image_property_value_bytes: int = 64 << 10
    image_metadata_bytes: int = 1 << 20
    #: Items per page: the default, and the maximum.
    limit_param_default: int = 25
    api_limit_max: int = 1000
    #: Most bytes of a JSON request body.
    max_json_body: int = 1 << 20
    #: Quotas of a project in a region, -1 for none: images, and images whose data is being uploaded or imported.
    image_count_total: int = -1
    image_count_uploading: int = -1
    #: Quotas in MiB: images in the stores (twice, if two stores have them), and in the staging area.
    image_size_total: int = -1
    image_stage_total: int = -1


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one client, and all of them together, can make the HTTP server hold or wait for."""

    #: Most connections; 64 more get the answer 503, further ones are closed at once.
    max_connections: int = 2048
    #: Seconds for the head of a request (the request line and the headers), and its most bytes.
    head_timeout: float = 15
    max_head: int = 64 << 10
    #: Fewest bytes a second of a request body, or of an answer that a client reads, on average over *rate_window*
    #: seconds; 0: any.
    min_rate: int = 1024
    rate_window: float = 60
    #: Most uploads (stages included) and downloads of image data that run at once; for more the answer is 503.
    max_uploads: int = 64
    max_downloads: int = 256


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One store for the data of images: a folder, or a prefix in a bucket."""

    #: Its name for clients.
    name: str
    #: None: ``images/<region>/<name>`` in the data folder, or ``images/<region>`` for the store called ``folder``.
    dir: Path | None = None
    description: str | None = None
    #: True if images can be read, but nothing is added or removed.
    read_only: bool = False
    #: An image in several stores is read from the one of the largest weight; the default store goes first among equals.
    weight: int = 0
    #: Keep what is downloaded from it in the image cache: for a store that is slow.
    cache: bool = False

    # For a store in a bucket (`ecl.server.settings.buckets` checks them):
    #: ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``.
    url: str | None = None
    #: Address of the object storage; None: that of the environment, or of the provider's own service.
    endpoint: str | None = None
    #: True if the bucket is in the path of a request, False if it is in the name of the host.
    path_style: bool = True
    #: True if data and requests may go over plain http.
    allow_http: bool = False
    #: The provider's region of the bucket; None: that of the environment, or us-east-1.
    bucket_region: str | None = None
    #: File with CA certificates to trust besides the system's.
    cacert: Path | None = None
    access_key_id: str | None = None
    secret_access_key_file: Path | None = None
    #: For S3 an INI file such as ``~/.aws/credentials``, and the part of it to use; for Google Cloud Storage the JSON
    #: file of a service account.
    credentials_file: Path | None = None
    profile: str | None = None
    #: Seconds until data that is out of use is removed, so that downloads that run can end; None: an hour.
    removal_delay: float | None = None


class ImportSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Imports: methods, and from where the service fetches data."""

    methods: tuple[ImportMethod, ...] = ("glance-direct", "web-download", "copy-image", "glance-download")
    #: Most imports that run at once.
    workers: int = 2
    #: Ports that web-download may connect to; empty: all.
    allowed_ports: tuple[int, ...] = (80, 443)
    #: Networks besides the public internet that web-download may connect to, such as ``10.1.0.0/16``.
    allowed_networks: tuple[str, ...] = ()
    #: Most redirects that it follows; each is checked like the first URL.
    max_redirects: int = 5
    #: Most seconds of one download, and of silence of its server.
    timeout: int = 6 * 3600
    idle_timeout: int = 60
    #: Fewest bytes of data a second, over every *idle_timeout* seconds of waiting for the server; 0: any.
    min_rate: int = 1024


class KeystoneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A Keystone elsewhere, which has the users, projects and tokens, instead of the service's own.

    The service asks it as a user of its own, who needs the role ``service`` or ``admin`` there.
    """

    auth_url: str
    #: The service's own user there.
    username: str
    password_file: Path
    project_name: str = "service"
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"
    #: Its address for clients, if that is another one; None: *auth_url*.
    public_auth_url: str | None = None
    #: File with CA certificates to trust instead of the system's.
    cacert: Path | None = None
    #: Most seconds for an answer of it.
    timeout: float = 10
    #: Seconds for which its word on a token is believed, and for how many tokens.
    cache_seconds: float = 300
    cache_tokens: int = 10_000
    #: Its roles that count here as each of the service's four.
    admin_roles: tuple[str, ...] = ("admin",)
    member_roles: tuple[str, ...] = ("member",)
    reader_roles: tuple[str, ...] = ("reader",)
    service_roles: tuple[str, ...] = ("service",)
    #: The region of a project, by the project's ID. Others belong to all regions, unless *region_tag* is set.
    project_regions: dict[str, str] = {}
    #: A project with the tag ``<region_tag>=<region>`` belongs to that region; None: tags are not read.
    region_tag: str | None = None


class UpkeepSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the service does by itself, all the time, to its data."""

    #: Bytes a second that are read to find damaged data; 0: none. Seconds between the beginnings of two rounds.
    scrub_rate: int = 0
    scrub_interval: int = 7 * 86400
    #: Seconds after which the rows of deleted images are purged; 0: never. After that an ID can be used again.
    keep_deleted_images: int = 365 * 86400
    #: Seconds after their end at which tasks and copy jobs are purged; 0 keeps copy jobs for ever.
    keep_tasks: int = 48 * 3600
    keep_copy_jobs: int = 90 * 86400


class PropertyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    The roles that may do something with custom properties whose name matches *pattern*.

    Each of the four lists has roles; ``@`` means everybody, an empty list nobody. The first rule that matches a name
    counts. If there are rules and none matches, nobody may do anything.
    """

    #: A regular expression; it matches anywhere in the name unless it is anchored.
    pattern: str
    create: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


class ReplicatorTrust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Members of any tenant in *sources* may copy images to any in *destinations*, where they have no role."""

    #: IDs of tenants; ``*`` means every tenant.
    sources: tuple[str, ...]
    destinations: tuple[str, ...]


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One region, served by this process or, if *url* is set, by another one.

    A region of another process is only a destination of image copies. For these, the replicator logs in to that
    process's Keystone as a user with the role admin.
    """

    name: str
    #: Licence switch types that images of this region may have.
    license_switch_types: tuple[str, ...] = ()
    #: Official template types (property ``.official_image_template``) that can be copied to this region; None: all.
    official_image_templates: tuple[str, ...] | None = None
    #: Disk formats that can be copied to this region; None: all that Glance knows.
    disk_formats: tuple[str, ...] | None = None
    #: Folder of the only store; None: ``images/<name>`` in the data folder.
    store_dir: Path | None = None
    #: Several stores, instead of *store_dir*.
    stores: tuple[StoreSettings, ...] = ()
    #: The store for new images if the client names none; None: the first that is not read-only.
    default_store: str | None = None

    # For a region of another process:
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
    """All settings; ``docs/service.md`` describes them for users."""

    data_dir: Path
    host: str = "127.0.0.1"
    #: 0 takes a free port.
    port: int = 9292
    #: URL of the service for clients, in the catalog and Location headers (``https://image.example:9292``);
    #: None: the address that the client used (its Host header).
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: SQLAlchemy URL; None: SQLite in the data folder.
    database_url: str | None = None
    #: Most connections to PostgreSQL, besides the one that claims the regions. Two services fit its default of 100.
    database_connections: int = 45
    regions: tuple[RegionSettings, ...] = (RegionSettings("jp1"), RegionSettings("jp2"))
    #: Folder of metadata definitions (``*.json``): each start adds those that a region does not have.
    metadefs_dir: Path | None = None
    #: The second hash of every image (``os_hash_algo``), besides md5.
    hash_algorithm: Literal["sha512", "sha256"] = "sha512"
    #: Refuse data that does not have the image's disk_format (Glance's ``[image_format] require_image_format_match``).
    require_image_format_match: bool = True
    #: Show the locations of images in their documents, and let owners change them: add an http or https address where
    #: the data is. The service reads it there at each download; what it may ask is in *imports*.
    show_multiple_locations: bool = False
    #: Show the location that is read first as ``direct_url``.
    show_image_direct_url: bool = False
    #: Folder of the image cache; None: there is none. And most bytes of the copies of each region in it.
    image_cache_dir: Path | None = None
    image_cache_max_size: int = 10 << 30
    #: Seconds until a token expires.
    token_lifetime: int = 3600
    #: Passwords are hashed by scrypt with N = 2 to this power; weaker hashes are replaced at the next login.
    password_cost: int = 17
    #: Seconds for requests in flight to finish after Ctrl-C or SIGTERM.
    shutdown_timeout: int = 30
    #: Most image copies that run at once.
    replicator_workers: int = 2
    #: Seconds after which other processes take over what this one works on, if it does not renew its lease meanwhile.
    node_lease: float = 60
    #: How often a copy or an import may fail for an unexpected reason, before it ends with that reason; and the seconds
    #: until the second attempt. The pause before each later one is twice as long.
    job_attempts: int = 5
    job_retry_delay: float = 30
    #: Most unfinished copies of one project, and most unfinished imports; for more the answer is 429.
    project_jobs: int = 1000
    #: Write one line for each request, as text or as a JSON object.
    access_log: bool = False
    access_log_format: Literal["text", "json"] = "text"
    #: Proxies whose ``X-Forwarded-For`` is believed: addresses or networks.
    trusted_proxies: tuple[str, ...] = ()
    #: File with the bearer token that may read /metrics, besides administrators' tokens.
    metrics_token_file: Path | None = None
    #: Networks whose clients may read /metrics without any token, if they connect without a proxy.
    metrics_networks: tuple[str, ...] = ()
    #: None: the service has users, projects and tokens of its own.
    keystone: KeystoneSettings | None = None
    http: HttpSettings = HttpSettings()
    limits: ImageLimits = ImageLimits()
    imports: ImportSettings = ImportSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    replicator_trust: tuple[ReplicatorTrust, ...] = ()
    #: Property protection; without rules, a project may change all properties of its images.
    property_rules: tuple[PropertyRule, ...] = ()
    #: Let tests, without a login, add faults, move the clock, remove everything and so on, under ``/testing``.
    testing: bool = False
