"""A service of its own, DNS, written as eclsdk's services are: it runs on eclsdk's bases and on this library's."""

from ecl import exceptions, format, proxy2, resource2, service_filter, utils  # noqa: A004 - eclsdk's name


class DnsService(service_filter.ServiceFilter):
    """Which service of the catalog it is."""

    valid_versions = [service_filter.ValidVersion("v2")]

    def __init__(self, version=None):
        """Describe it."""
        super().__init__(service_type="dns", version=version)


class Base(resource2.Resource):
    """What zones and record sets have in common."""

    service = DnsService()

    #: Text that people read.
    description = resource2.Body("description")
    #: Which state of it the caller has seen.
    seen = resource2.Header("If-Match")


class Zone(Base):
    """A zone."""

    resource_key = "zone"
    resources_key = "zones"
    base_path = "/v2/zones"
    allow_create = allow_get = allow_update = allow_delete = allow_list = True
    patch_update = True

    status = resource2.Body("status")
    ttl = resource2.Body("ttl", type=int)
    is_shared = resource2.Body("shared", type=format.BoolStr)

    def abandon(self, session):
        """Let it go: an operation that resources do not have by themselves."""
        request = self._prepare_request(requires_id=True)
        url = utils.urljoin(request.uri, "tasks", "abandon")
        return session.post(url, endpoint_filter=self.service, json={"why": "test"}).status_code


class RecordSet(Base):
    """A record set of a zone."""

    resources_key = "recordsets"
    base_path = "/v2/zones/%(zone_id)s/recordsets"
    allow_create = allow_get = allow_list = allow_update = allow_delete = True

    _query_mapping = resource2.QueryParameters("limit", "marker", kind="type")

    zone_id = resource2.URI("zone_id")
    records = resource2.Body("records", type=list)


class NameServer(Base):
    """A name server; its host name is its ID."""

    resources_key = "nameservers"
    base_path = "/v2/nameservers"
    allow_get = allow_list = put_create = allow_create = True

    hostname = resource2.Body("hostname", alternate_id=True)


class Proxy(proxy2.BaseProxy):
    """DNS, as plain methods."""

    def zones(self):
        """List all zones."""
        return list(self._list(Zone))

    def create_zone(self, **attrs):
        """Create a zone."""
        return self._create(Zone, **attrs)

    def get_zone(self, zone):
        """Get a zone."""
        return self._get(Zone, zone)

    def find_zone(self, name_or_id, ignore_missing=False):
        """Find a zone."""
        return self._find(Zone, name_or_id, ignore_missing=ignore_missing)

    def update_zone(self, zone, **attrs):
        """Change a zone."""
        if not isinstance(zone, Zone):
            zone = self._get_resource(Zone, zone)
            zone._body.clean()
        return self._update(Zone, zone, **attrs)

    def delete_zone(self, zone, ignore_missing=False):
        """Delete a zone."""
        return self._delete(Zone, zone, ignore_missing=ignore_missing)

    def recordsets(self, zone, paginated=True, **query):
        """List the record sets of a zone."""
        zone_id = self._get_uri_attribute(None, zone, "id")
        return self._list(RecordSet, None, paginated=paginated, zone_id=zone_id, **query)

    def create_recordset(self, zone, **attrs):
        """Create a record set."""
        return self._create(RecordSet, zone_id=resource2.Resource._get_id(zone), **attrs)

    @proxy2._check_resource(strict=True)
    def _touch(self, resource_type, value):
        return resource_type.__name__

    def touch(self, zone):
        """Take a zone, not its ID."""
        return self._touch(Zone, zone)


def error_of(call, *args, **kwargs):
    """Return what a call raises: the classes that scripts catch, and the status."""
    known = (exceptions.ResourceNotFound, exceptions.DuplicateResource, exceptions.MethodNotSupported, ValueError)
    others = (
        exceptions.ResourceTimeout,
        exceptions.ResourceFailure,
        exceptions.HttpException,
        exceptions.InvalidRequest,
    )
    try:
        call(*args, **kwargs)
    except Exception as error:
        name = next((cls.__name__ for cls in (*known, *others) if isinstance(error, cls)), repr(error))
        return [name, getattr(error, "http_status", None)]
    return None


def use(session):
    """Use all of it by a session, and yield what there was to see."""
    dns = Proxy(session)
    zone = Zone.new(name="a.example.", ttl=300, description="first")
    zone.is_shared = True
    zone.create(session)
    yield "created", [zone.id, zone.is_shared, zone.ttl, zone.location]
    yield "by proxy", dns.create_zone(name="b.example.").id
    yield "bad value", error_of(setattr, zone, "is_shared", "perhaps")
    yield "listed", [each.name for each in dns.zones()]
    yield "got", [dns.get_zone("z1").name, dns.get_zone(zone).ttl]
    yield "not got", error_of(dns.get_zone, "none")
    yield "found", [dns.find_zone("z1").id, dns.find_zone("b.example.").id, dns.find_zone("none", ignore_missing=True)]
    yield "not found", error_of(dns.find_zone, "none")
    yield "two", error_of(dns.find_zone, "twin.example.")

    yield "updated", dns.update_zone("z1", ttl=60, seen="7").ttl
    zone.description = "second"
    yield "by itself", zone.update(session).description
    yield "unchanged", dns.update_zone(zone).id
    yield "abandoned", zone.abandon(session)

    yield "record", dns.create_recordset(zone, name="www", records=["192.0.2.1"]).records
    yield "records", [each.name for each in dns.recordsets(zone)]
    yield "by pages", [each.name for each in dns.recordsets("z1", limit=2, kind="A")]
    yield "one page", [each.name for each in dns.recordsets("z1", paginated=False, limit=2)]

    server = dns._get(NameServer, NameServer.existing(hostname="ns1"))
    yield "other ID", [server.id, resource2.Resource._get_id(server), NameServer._alternate_id()]
    yield "put", NameServer.new(hostname="ns2").create(session).hostname

    made = Zone.existing(id="z", ttl="5", name="n", description="d")
    yield "dict", sorted(made.to_dict(headers=False, ignore_none=True).items())
    everything = Zone.existing(id="z").to_dict()
    yield "all names", sorted(everything)
    yield "not allowed", error_of(NameServer.existing(hostname="x").delete, session)
    yield "of another class", [error_of(verb, Zone, server) for verb in (dns._get, dns._update, dns._delete)]
    yield "strict", [error_of(dns.touch, "z1"), error_of(dns.touch, server), dns.touch(zone)]
    yield "no body", error_of(made.to_dict, body=False, headers=False)

    yield "waited", dns.wait_for_status(dns.get_zone("slow"), "ACTIVE", ["ERROR"], interval=0, wait=5).status
    yield "deleted", dns.delete_zone("z1") is not None
    yield "deleted again", [error_of(dns.delete_zone, "gone"), dns.delete_zone("gone", ignore_missing=True)]
    yield "gone", dns.wait_for_delete(Zone.existing(id="gone"), interval=0, wait=5).id
