"""The base of all resources: attributes, what is sent, what is taken over."""

from __future__ import annotations

import pytest

from ecl import exceptions, resource2
from ecl.image.image_service import ImageService
from ecl.image.v2.image import Image
from ecl.image.v2.member import Member
from support.http_stub import Answer


class Server(resource2.Resource):
    """A resource with everything."""

    resource_key = "server"
    resources_key = "servers"
    base_path = "/v2/projects/%(project_id)s/servers"
    service = ImageService()
    allow_create = allow_get = allow_update = allow_delete = allow_list = allow_head = True
    _query_mapping = resource2.QueryParameters("name", "limit", changed="changed-since")

    cores = resource2.Body[int]("vcpus", type=int, default=1)
    etag = resource2.Header[str]("ETag")
    project_id = resource2.URI[str]("project_id")


class Flavor(resource2.Resource):
    """A resource whose ID has another name, and no list key."""

    base_path = "/v2/flavors"
    service = ImageService()
    allow_get = allow_list = allow_update = put_create = allow_create = patch_update = True

    flavor_id = resource2.Body[str]("flavorId", alternate_id=True)


@pytest.fixture
def session(conn):
    """The session of the connection to the stub."""
    return conn.session


def server(**attrs):
    """Return a server that the service has."""
    return Server.existing(project_id="p", id="s", **attrs)


PATH = "/v2/projects/p/servers"

# --- attributes -------------------------------------------------------------------------------------------


def test_components_on_the_class_are_none():
    """On the class an attribute is None."""
    assert (Server.id, Server.cores, Server.etag, Server.project_id, Server.location) == (None,) * 5


def test_values_are_sorted_by_where_they_travel():
    """Values may be given by attribute name or by the service's, and are read by attribute name."""
    made = Server(vcpus="4", etag="e", project_id="p", colour="red")

    assert (made.cores, made.etag, made.project_id) == (4, "e", "p")
    assert Server(cores=4)._body.attributes == Server(vcpus=4)._body.attributes == {"vcpus": 4}
    assert made._body.attributes == {"vcpus": "4", "colour": "red"}


def test_default_and_type():
    """What the service did not send is the default; a value is converted, None is not."""
    assert Server().cores == 1
    assert Server(cores="4").cores == 4
    assert Server(cores=None).cores is None


def test_set_and_delete():
    """An attribute is set and deleted; both count as changes."""
    made = server(cores=2)
    made.cores = 2
    assert made._body.dirty == {}
    made.cores = 3
    assert made._body.dirty == {"vcpus": 3}
    del made.cores
    del made.cores
    assert made.cores == 1
    assert made._body.dirty == {"vcpus": None}


def test_new_and_existing():
    """Of a new resource everything is to be sent, of an existing one nothing."""
    assert Server.new(cores=2, name="n")._body.dirty == {"vcpus": 2, "name": "n"}
    assert Server.existing(cores=2, name="n")._body.dirty == {}
    assert Server(True, cores=2)._body.dirty == {}


def test_unsent_order_is_the_order_given():
    """What is sent has the order in which it was given."""
    assert list(Server.new(z="1", a="2", name="3")._body.dirty) == ["z", "a", "name"]


@pytest.mark.parametrize(
    "name", ["synchronized", "self", "cls", "first", "location", "properties", "key", "id", "to_dict", "get", "session"]
)
def test_any_name_is_a_property(name):
    """A property may have any name, also one that means something in Python or in this library."""
    for made in (Image.existing(**{name: "x"}), Image.new(**{name: "x"}), Image._received({name: "x"})):
        values = {**made._body.attributes, **made._header.attributes}
        assert values == {name: "x"}
        assert callable(made.to_dict)
        assert callable(made.get)


@pytest.mark.parametrize("name", ["synchronized", "first", "location", "properties", "images_schema"])
def test_received_names_are_of_the_body(name, proxy, stub):
    """What the service sends under the name of a header or an argument is a property like any other."""
    stub.on("GET", "/v2/images/abc", Answer.json({"id": "abc", name: "x"}))
    image = proxy.get_image("abc")

    assert image[name] == "x"
    assert dict(image) == {"id": "abc", name: "x"}


def test_mapping_of_the_body():
    """A resource is a mapping of its body: by the service's names, and read by attribute name as well."""
    made = Server.existing(vcpus=2, colour="red", etag="e")

    assert (made["vcpus"], made["cores"], made["colour"]) == (2, 2, "red")
    assert list(made) == ["vcpus", "colour"]
    assert dict(made) == {"vcpus": 2, "colour": "red"}
    assert len(made) == 2
    assert "colour" in made
    assert "etag" not in made
    assert bool(Server())
    for missing in ("etag", "name", "nothing"):
        with pytest.raises(KeyError, match=missing):
            made[missing]


def test_to_dict():
    """to_dict() has every attribute by its Python name, and what is not declared by the service's."""
    made = Server.existing(vcpus=2, colour="red", etag="e", project_id="p")

    assert made.to_dict() == {"id": None, "name": None, "location": None, "cores": 2, "etag": "e", "colour": "red"}
    assert made.to_dict(headers=False) == {"id": None, "name": None, "cores": 2, "colour": "red"}
    assert made.to_dict(body=False, ignore_none=True) == {"etag": "e"}
    with pytest.raises(ValueError, match="At least one"):
        made.to_dict(body=False, headers=False)


def test_equality_and_repr():
    """Two resources of a class with the same contents are equal; a repr shows the contents."""
    assert Server.existing(id="s") == Server.existing(id="s")
    assert Server.existing(id="s") != Server.existing(id="t")
    assert Server.existing(id="s") != Flavor.existing(id="s")
    assert Server.existing(id="s") != "s"
    assert repr(Server.existing(id="s", project_id="p")).endswith("Server(project_id=p, id=s)")


def test_identity():
    """The ID is found under the name that the resource has for it."""
    assert Flavor(flavorId="f").id == "f"
    assert Flavor().id is None
    assert Member(member_id="m").id == "m"
    assert Member(member="m").id == "m"
    assert resource2.Resource._get_id(Flavor(flavor_id="f")) == "f"
    assert resource2.Resource._get_id("x") == "x"


def test_query_parameters():
    """Documented parameters are sent under the service's names, others are not."""
    assert Server._query_mapping._transpose({"changed": 1, "limit": 2, "colour": 3}) == {"changed-since": 1, "limit": 2}


# --- operations -------------------------------------------------------------------------------------------


def test_create(session, stub):
    """create() sends what is new, wrapped, and takes over the answer."""
    stub.on("POST", PATH, Answer.json({"server": {"id": "s", "vcpus": 2, "extra": 1}}, 201, Location="there", ETag="e"))
    made = Server.new(project_id="p", cores=2).create(session)

    assert stub.last.json == {"server": {"vcpus": 2}}
    assert (made.id, made["extra"]) == ("s", 1)
    assert made._body.dirty == {}
    Server.new(project_id="p", cores=2).create(session, prepend_key=False)
    assert stub.last.json == {"vcpus": 2}


def test_create_by_put(session, stub):
    """Some resources are created by PUT, on their own path."""
    stub.on("PUT", "/v2/flavors/f%2F1", Answer.json({"flavorId": "f/1"}))
    Flavor.new(flavor_id="f/1").create(session)

    assert stub.last.json == {"flavorId": "f/1"}


def test_get_and_head(session, stub):
    """get() takes over the body, head() the headers."""
    stub.on("GET", f"{PATH}/s", Answer.json({"server": {"name": "n"}}))
    stub.on("HEAD", f"{PATH}/s", Answer(200, headers={"ETag": "e"}))
    stub.on("GET", PATH, Answer.json({"name": "all"}))

    assert server().get(session).name == "n"
    assert server().get(session, requires_id=False).name == "all"
    assert server(name="kept").head(session).name == "kept"


def test_headers_are_taken_over_whatever_their_case(session, stub):
    """A header is found in whatever case it is sent."""
    stub.on("POST", "/v2/images", Answer.json({"id": "i"}, 201, LOCATION="http://there"))

    assert Image.new(name="n").create(session).location == "http://there"


def test_update(session, stub):
    """update() sends what changed, and nothing if nothing did."""
    stub.on("PUT", f"{PATH}/s", Answer.json({"server": {"vcpus": 3}}))
    changed = server(cores=2, name="n")
    assert changed.update(session) is changed
    assert stub.requests == []

    changed.cores = 3
    changed.update(session)
    assert stub.last.json == {"server": {"vcpus": 3}}
    assert (changed.name, changed._body.dirty) == ("n", {})


def test_update_without_an_answer(session, stub):
    """update() can do without a body in the answer."""
    stub.on("PUT", f"{PATH}/s", Answer(204))
    changed = server(cores=2)
    changed.cores = 3

    assert changed.update(session, prepend_key=False, has_body=False).cores == 3
    assert stub.last.json == {"vcpus": 3}


def test_update_by_patch(session, stub):
    """Some resources are updated by PATCH."""
    stub.on("PATCH", "/v2/flavors/f", Answer.json({}))
    changed = Flavor.existing(flavor_id="f")
    changed.name = "n"
    changed.update(session)

    assert stub.last.json == {"name": "n"}


def test_delete(session, stub):
    """delete() sends no body and needs none."""
    stub.on("DELETE", f"{PATH}/s", Answer(204))
    gone = server()

    assert gone.delete(session) is gone
    assert stub.last.body == b""


@pytest.mark.parametrize("operation", ["create", "get", "head", "update", "delete"])
def test_operation_not_supported(operation, session, stub):
    """An operation that the service does not have is refused before anything is sent."""
    thing = resource2.Resource.new(id="x", name="n")
    with pytest.raises(exceptions.MethodNotSupported, match=f"{operation} method is not supported"):
        getattr(thing, operation)(session)
    with pytest.raises(exceptions.MethodNotSupported, match="list method"):
        list(resource2.Resource.list(session))

    assert stub.requests == []


@pytest.mark.parametrize(
    "bare", [{}, {"project_id": "p"}, {"id": "s"}, {"project_id": "p", "id": ""}, {"project_id": ""}]
)
def test_path_needs_ids(bare, session, stub):
    """Without its ID or its parent's a resource has no path."""
    with pytest.raises(exceptions.InvalidRequest):
        Server.existing(**bare).get(session)

    assert stub.requests == []


# --- lists ------------------------------------------------------------------------------------------------


def test_list(session, stub):
    """list() yields existing resources, each with its parent, and sends documented parameters only."""
    stub.on("GET", PATH, Answer.json({"servers": [{"id": "a", "vcpus": 2}, {"id": "b"}]}))
    first, second = Server.list(session, project_id="p", changed="now", colour="red")

    assert stub.last.query == {"changed-since": ["now"]}
    assert (first.cores, first.project_id, first._body.dirty) == (2, "p", {})
    assert second.get is not None


def test_list_stops_after_a_page(session, stub):
    """Unless it is paginated, a list is one page."""
    stub.on("GET", PATH, Answer.json({"servers": [{"id": "a"}], "next": f"{PATH}?marker=a"}))

    assert len(list(Server.list(session, project_id="p"))) == 1
    assert len(stub.requests) == 1


def test_bare_list(session, stub):
    """A list may be the whole body."""
    stub.on("GET", "/v2/flavors", Answer.json([{"flavorId": "a"}]))

    assert [flavor.id for flavor in Flavor.list(session)] == ["a"]


def links(stub, link):
    """Script two pages, the first of which points to the second by *link*."""

    def page(request):
        if "marker" in request.query:
            assert request.query == {"limit": ["1"], "marker": ["a b"], "tag": ["x", "y"]}
            return Answer.json({"images": [{"id": "b"}]})
        return Answer.json({"images": [{"id": "a"}], "next": link})

    return page


QUERY = "limit=1&tag=x&tag=y&marker=a+b"


@pytest.mark.parametrize(
    "link",
    [
        f"/v2/images?{QUERY}",
        f"v2/images?{QUERY}",
        f"http://127.0.0.1:9/v2/images?{QUERY}",
        f"https://evil.example/somewhere/v2/images?{QUERY}",
        f"//evil.example/v2/images?{QUERY}",
        f"/image/jp1/v2/images?{QUERY}",
        f"http://hidden/behind/a/proxy/v2/images?{QUERY}",
    ],
)
def test_next_link(link, session, stub):
    """A link to the next page may be relative, absolute, or with a prefix; it is followed at our endpoint only."""
    stub.on("GET", "/v2/images", links(stub, link))

    assert [image.id for image in Image.list(session, page_size=1, tag=["x", "y"])] == ["a", "b"]


def test_next_link_below_a_prefix(stub):
    """Where the endpoint has a prefix, the links to next pages are below it, whether they say so or not."""
    import ecl

    for link in (f"/v2/images?{QUERY}", f"/image/jp1/v2/images?{QUERY}"):
        stub.on("GET", "/image/jp1/v2/images", links(stub, link))
        proxy = ecl.connect(auth_type="none", endpoint=f"{stub.url}/image/jp1").image
        assert [image.id for image in proxy.images()] == ["a", "b"]


def test_pages_that_go_round(session, stub):
    """Pages that go round in a circle are an error, not a loop for ever."""
    stub.on("GET", "/v2/images", Answer.json({"images": [{"id": "a"}], "next": "/v2/images?marker=a"}))
    with pytest.raises(exceptions.InvalidResponse, match="circle"):
        list(Image.list(session))


def test_pages_without_end(session, stub, monkeypatch):
    """A service that links to a new page for ever is an error, not a loop for ever."""
    monkeypatch.setattr("ecl._http.paging.MOST_PAGES", 50)

    def page(request):
        number = int(request.query.get("marker", ["0"])[0]) + 1
        return Answer.json({"images": [{"id": str(number)}], "next": f"/v2/images?marker={number}"})

    stub.on("GET", "/v2/images", page)
    with pytest.raises(exceptions.InvalidResponse, match="does not end: 50 pages"):
        list(Image.list(session))

    assert len(stub.requests) == 50


@pytest.mark.parametrize("following", [None, "", 5, ["x"]])
def test_no_next_link(following, session, stub):
    """What is no link ends the list."""
    stub.on("GET", "/v2/images", Answer.json({"images": [{"id": "a"}], "next": following}))

    assert len(list(Image.list(session))) == 1


def test_empty_page_ends_the_list(session, stub):
    """A page without images is the last, whatever it links to."""
    stub.on("GET", "/v2/images", Answer.json({"images": [], "next": "/v2/images?marker=a"}))

    assert list(Image.list(session)) == []
    assert len(stub.requests) == 1


# --- finding ----------------------------------------------------------------------------------------------


def test_find_by_id(session, stub):
    """What has that ID is found by one request."""
    stub.on("GET", f"{PATH}/s", Answer.json({"server": {"id": "s"}}))

    assert Server.find(session, "s", project_id="p").id == "s"
    assert len(stub.requests) == 1


@pytest.mark.parametrize("status", [404, 400])
def test_find_by_name(status, session, stub):
    """What no ID is may be a name, on whichever page."""
    stub.on("GET", f"{PATH}/n", Answer(status))
    stub.on(
        "GET", PATH, Answer.json({"servers": [{"id": "a", "name": "m"}], "next": PATH + "?marker=a"}),
        Answer.json({"servers": [{"id": "b", "name": "n"}]}),
    )  # fmt: skip

    assert Server.find(session, "n", project_id="p").id == "b"


def test_find_nothing(session, stub):
    """Nothing found is an error, or None."""
    stub.on("GET", f"{PATH}/n", Answer(404))
    stub.on("GET", PATH, Answer.json({"servers": []}))
    with pytest.raises(exceptions.ResourceNotFound, match="No Server found for n"):
        Server.find(session, "n", project_id="p")

    assert Server.find(session, "n", ignore_missing=True, project_id="p") is None


def test_find_two(session, stub):
    """Two of one name are an error that names both."""
    stub.on("GET", f"{PATH}/n", Answer(404))
    stub.on("GET", PATH, Answer.json({"servers": [{"id": "a", "name": "n"}, {"id": "b", "name": "n"}]}))
    with pytest.raises(exceptions.DuplicateResource, match="'n': a and b; use an ID"):
        Server.find(session, "n", project_id="p")


def test_find_passes_other_errors_on(session, stub):
    """A failure is no reason to look on."""
    stub.on("GET", f"{PATH}/n", Answer(403))
    with pytest.raises(exceptions.ForbiddenException):
        Server.find(session, "n", project_id="p")
