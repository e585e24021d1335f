"""The OpenAPI document: it is what the service speaks, no more and no less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import requests

from ecl.server.api.openapi.operations import OPERATIONS
from ecl.testing import ImageService

METADEFS = "/v2/metadefs/namespaces"
OCTETS = {"Content-Type": "application/octet-stream"}
STRING = {"title": "A", "type": "string"}


class Described:
    """A region whose every answer is held against its document."""

    def __init__(self, service: ImageService) -> None:
        connection = service.connect(user="admin")
        self.endpoint = f"{service.url}/image/{service.regions[0]}"
        self.headers = {"X-Auth-Token": connection.session.get_token(), "Accept": "application/json"}
        self.project_id = service.credentials(user="admin")["project_id"]
        self.document = requests.get(f"{self.endpoint}/openapi.json", timeout=30).json()
        #: A token of another region.
        self.foreign = service.connect(service.regions[1]).session.get_token()

    def operations(self) -> Iterator[tuple[str, str, str]]:
        """Give method, path and template of each operation, with a made-up name for each parameter."""
        for template, methods in self.document["paths"].items():
            for method in methods:
                yield method.upper(), re.sub(r"{\w+}", "0" * 8 + "-0000-4000-8000-" + "0" * 12, template), template

    def send(self, method: str, path: str, template: str | None = None, **options: Any) -> Any:
        """Send a request to *path*, which the document calls *template*, and return the JSON of the answer."""
        headers = {**self.headers, **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value}
        response = requests.request(method, self.endpoint + path, headers=headers, timeout=30, **options)
        template = template or path.partition("?")[0]
        described = self.document["paths"][template][method.lower()]["responses"]
        assert str(response.status_code) in described, f"{method} {path}: {response.status_code}"
        assert response.status_code < 500
        expected = described[str(response.status_code)]
        if "$ref" in expected:
            expected = self.document["components"]["responses"][str(response.status_code)]
        if not response.content:
            assert "content" not in expected or response.status_code == 200
            return None
        media_type = response.headers["Content-Type"].partition(";")[0]
        assert media_type in expected["content"]
        if media_type != "application/json":
            return response.content
        schema = {"components": self.document["components"], **expected["content"]["application/json"]["schema"]}
        jsonschema_rs.Draft202012Validator(schema).validate(response.json())
        return response.json()


@pytest.fixture(scope="module")
def described() -> Iterator[Described]:
    """A service whose answers are checked."""
    with ImageService(["jp1", "jp2"]) as service:
        yield Described(service)


def test_each_operation_is_a_route(described: Described) -> None:
    """Nothing is described that is not there; the rest is covered by making the document at all."""
    spoken = {f"{method.upper()} {path}" for path, methods in described.document["paths"].items() for method in methods}
    assert {each for each in spoken if "/v2/schemas/" not in each} == set(OPERATIONS)


def test_references_lead_somewhere(described: Described) -> None:
    """Every reference of the document is to a part of it."""
    references = set(re.findall(r"'\$ref': '#/components/(\w+)/([^']+)'", str(described.document)))
    assert references
    for part, name in references:
        assert name in described.document["components"][part]


def test_described_at_the_root(described: Described) -> None:
    """The whole service describes its regions by one document, which needs no token."""
    root = described.endpoint.removesuffix("/image/jp1")
    document = requests.get(f"{root}/openapi.json", timeout=30).json()
    assert document["servers"] == [{"url": "image/jp1"}, {"url": "image/jp2"}]
    assert document["paths"] == described.document["paths"]
    assert described.document["servers"] == [{"url": described.endpoint}]


def test_open_operations(described: Described) -> None:
    """What needs no token answers without one; all else is 401."""
    for method, path, template in described.operations():
        is_open = described.document["paths"][template][method.lower()].get("security") == []
        for token in ("", "nonsense"):
            answer = described.send(method, path, template, headers={"X-Auth-Token": token})
            assert is_open == (not isinstance(answer, dict) or answer.get("code") != "401 Unauthorized")


def test_tokens_of_another_region(described: Described) -> None:
    """Every operation that needs a token refuses one of another region: 403."""
    for method, path, template in described.operations():
        if described.document["paths"][template][method.lower()].get("security") != []:
            answer = described.send(method, path, template, headers={"X-Auth-Token": described.foreign})
            assert answer["code"] == "403 Forbidden"


def test_wrong_requests(described: Described) -> None:
    """Whatever is wrong with a request, its status is one that the document has."""
    for method, path, template in described.operations():
        described.send(method, path, template)
        described.send(method, path, template, headers={"X-Openstack-Request-Id": "x" * 65})
        for body in ("{", "[]", "5", '{"x": 1}', f'"{"x" * 2_000_000}"'):
            described.send(method, path, template, data=body)


def test_answers_about_images(described: Described) -> None:
    """What is said of images, data, members and tags is what the document says."""
    send, image = described.send, "/v2/images/{image_id}"
    made = send("POST", "/v2/images", json={"disk_format": "raw", "container_format": "bare", "os_distro": "x"})
    path = f"/v2/images/{made['id']}"
    send("GET", f"{path}/file", f"{image}/file")
    send("PUT", f"{path}/file", f"{image}/file", data=b"0123456789", headers=OCTETS)
    assert send("GET", f"{path}/file", f"{image}/file") == b"0123456789"
    assert send("GET", f"{path}/file", f"{image}/file", headers={"Range": "bytes=1-2"}) == b"12"
    patch = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    send("PATCH", path, image, data='[{"op": "add", "path": "/name", "value": "n"}]', headers=patch)
    send("GET", path, image)
    send("GET", "/v2/images?limit=1")
    send("POST", f"{path}/members", f"{image}/members", json={"member": "b" * 32})
    member = f"{path}/members/{'b' * 32}"
    send("GET", f"{path}/members", f"{image}/members")
    send("PUT", member, f"{image}/members/{{member_id}}", json={"status": "accepted"})
    send("GET", member, f"{image}/members/{{member_id}}")
    send("DELETE", member, f"{image}/members/{{member_id}}")
    send("PUT", f"{path}/tags/t", f"{image}/tags/{{tag}}")
    send("DELETE", f"{path}/tags/t", f"{image}/tags/{{tag}}")
    for action in ("deactivate", "reactivate"):
        send("POST", f"{path}/actions/{action}", f"{image}/actions/{action}")
    send("GET", f"{path}/locations", f"{image}/locations")
    send("GET", f"{path}/tasks", f"{image}/tasks")
    send("DELETE", path, image)
    send("GET", path, image)


def test_answers_about_the_region(described: Described) -> None:
    """What is said of imports, stores, tasks, jobs and schemas is what the document says."""
    paths = [path for path in described.document["paths"] if "{" not in path and not path.startswith("/v2/cache")]
    for path in paths:
        if "get" in described.document["paths"][path]:
            described.send("GET", path)
    described.send("GET", "/v2/cache")


def test_answers_about_definitions(described: Described) -> None:
    """What is said of metadata definitions is what the document says."""
    send, path, template = described.send, f"{METADEFS}/n", f"{METADEFS}/{{namespace}}"
    whole = {"properties": {"p": STRING}, "objects": [{"name": "o"}], "tags": [{"name": "t"}]}
    associations = [{"name": "OS::Glance::Image", "prefix": "x_"}]
    send("POST", METADEFS, json={"namespace": "n", **whole, "resource_type_associations": associations})
    send("GET", METADEFS)
    send("GET", path, template)
    for kind, name in (("objects", "o"), ("properties", "p"), ("tags", "t")):
        send("GET", f"{path}/{kind}", f"{template}/{kind}")
        send("GET", f"{path}/{kind}/{name}", f"{template}/{kind}/{{name}}")
    send("POST", f"{path}/properties", f"{template}/properties", json={"name": "q", **STRING})
    send("PUT", f"{path}/properties/q", f"{template}/properties/{{name}}", json={"name": "q", **STRING})
    send("POST", f"{path}/objects", f"{template}/objects", json={"name": "q", "properties": {"x": STRING}})
    send("PUT", f"{path}/objects/q", f"{template}/objects/{{name}}", json={"name": "q"})
    send("POST", f"{path}/tags", f"{template}/tags", json={"tags": [{"name": "u"}]})
    send("POST", f"{path}/tags/v", f"{template}/tags/{{name}}")
    send("PUT", f"{path}/tags/v", f"{template}/tags/{{name}}", json={"name": "w"})
    send("GET", f"{path}/resource_types", f"{template}/resource_types")
    send("POST", f"{path}/resource_types", f"{template}/resource_types", json={"name": "r"})
    send("DELETE", f"{path}/resource_types/r", f"{template}/resource_types/{{name}}")
    send("PUT", path, template, json={"namespace": "n"})
    send("DELETE", path, template)
    send("GET", path, template)


def test_patterns_that_are_no_regular_expressions(described: Described) -> None:
    """A property's pattern is kept as any text, as Glance keeps it, and the document does not promise more."""
    send, path, template = described.send, f"{METADEFS}/patterns", f"{METADEFS}/{{namespace}}"
    bad = {**STRING, "pattern": "\u00ea[4"}
    send("POST", METADEFS, json={"namespace": "patterns", "properties": {"p": STRING}, "objects": [{"name": "o"}]})
    kept = send("PUT", f"{path}/properties/p", f"{template}/properties/{{name}}", json={"name": "p", **bad})
    assert kept["pattern"] == bad["pattern"]
    kept = send(
        "PUT", f"{path}/objects/o", f"{template}/objects/{{name}}", json={"name": "o", "properties": {"x": bad}}
    )
    assert kept["properties"]["x"]["pattern"] == bad["pattern"]
    assert "'regex'" not in str(described.document)
