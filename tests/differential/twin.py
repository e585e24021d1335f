"""The same request to the embedded service and to a real Glance, and whether the two answers mean the same."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import secrets
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from glance_auth_filter import IDENTITIES
from glance_backend import run_glance
from sqlalchemy import insert

from ecl.server.clock import now
from ecl.server.db.identity_schema import projects
from ecl.server.identity.local import directory
from ecl.testing import ImageService

__all__ = [
    "EVERYWHERE",
    "OCTETS",
    "PATCH_20",
    "PATCH_21",
    "REGION",
    "STORES",
    "Answer",
    "Twin",
    "differences",
    "image_id",
    "run_twin",
    "twin_of",
]

PATCH_20 = "application/openstack-images-v2.0-json-patch"
PATCH_21 = "application/openstack-images-v2.1-json-patch"
OCTETS = "application/octet-stream"

REGION = "jp1"
#: Seconds for one answer of either side.
TIMEOUT = 30
#: Headers that clients act on; the others may differ.
_COMPARED_HEADERS = (
    "accept-patch",
    "openstack-image-import-methods",
    "openstack-image-store-ids",
    "content-md5",
    "location",
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Entries of the list of differences that may show in any answer, and the lines that tell of them.
EVERYWHERE = {
    "metadef-links": re.compile(r"\.(?:\S*\.)?(?:self|location): here '[^']*%[0-9A-F]{2}"),
    "metadef-object-defaults": re.compile(r"\.body\.(?:required|properties): here (?:\[\]|\{\}), Glance '-'"),
    "store-ids": re.compile(r"\.openstack-image-store-ids: here '(fast,cheap(?:,http)?)', Glance '\1,os_glance_"),
    "objects-schema-link": re.compile(r"\.body\.schema: here '/v2/schemas/metadefs/objects', Glance 'v2/"),
}
#: As in the configuration of `glance_backend`.
STORES = [{"name": "fast", "description": "first store"}, {"name": "cheap", "description": "second store"}]
_OWN_ID = "00000000-0000-4000-8000-"


def image_id(number: int) -> str:
    """Return an image ID that both sides are told, so that their answers hold the same."""
    return f"{_OWN_ID}{number:012x}"


@dataclass(frozen=True)
class Answer:
    """What one side answered."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON body, or the text of any other."""
        if self.content and self.headers.get("content-type", "").startswith("application/json"):
            return json.loads(self.content)
        return self.content.decode("utf-8", "backslashreplace")


class _Side:
    """One of the two services."""

    def __init__(self, url: str, tokens: dict[str, str]) -> None:
        parts = urllib.parse.urlsplit(url)
        assert parts.hostname is not None
        self.host, self.port, self.prefix, self.url = parts.hostname, parts.port, parts.path, url
        self.tokens = tokens

    def send(self, who: str | None, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        with contextlib.closing(connection):
            sent = dict(headers)
            if who is not None:
                sent["X-Auth-Token"] = self.tokens.get(who, who)
            connection.request(method, self.prefix + path, body, sent)
            response = connection.getresponse()
            got = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, got, response.read())


@dataclass
class Twin:
    """
    The two services, and what was found to differ between them.

    *differs* names an entry of docs/differences-from-glance.md: then the answers must differ.
    """

    embedded: _Side
    glance: _Side
    #: Each path of the embedded service's own document, and by method the statuses that it names.
    documented: list[tuple[re.Pattern[str], dict[str, set[str]]]] = field(default_factory=list, repr=False)
    problems: list[str] = field(default_factory=list)
    requests: int = 0
    _last_id: int = 0

    def new_id(self) -> str:
        """Return an image ID that neither side has seen."""
        self._last_id += 1
        return image_id(self._last_id)

    def send(
        self,
        method: str,
        path: str | tuple[str, str],
        json_body: Any = None,
        *,
        who: str | None = "member",
        data: bytes | None = None,
        differs: str | None = None,
        **headers: str,
    ) -> Answer:
        """
        Send one request to both, note any difference, and return the embedded service's answer.

        Args:
            path: For both, or one here and one for Glance where they have given a thing different IDs.
            data: The body as it is, instead of *json_body*.
            headers: By name, with underscores for dashes; an empty one is not sent.
        """
        sent = {"Accept": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        sent = {name: value for name, value in sent.items() if value}
        if json_body is not None:
            data = json.dumps(json_body, ensure_ascii=False).encode("utf-8", "surrogatepass")
            sent.setdefault("Content-Type", "application/json")
        path, glance_path = path if isinstance(path, tuple) else (path, path)
        here = self.embedded.send(who, method, path, data, sent)
        there = self.glance.send(who, method, glance_path, data, sent)
        self.requests += 1
        found = differences(self._meaning(here, self.embedded), self._meaning(there, self.glance))
        if here.status != there.status:
            found = [f"here {here.status} {here.content[:200]!r}, Glance {there.status} {there.content[:200]!r}"]
        found = [line for line in found if not any(known.match(line) for known in EVERYWHERE.values())]
        body = (data or b"")[:300].decode("utf-8", "backslashreplace")
        request = f"{who} {method} {path} {body}"
        if found and differs is None:
            self.problems.append(f"{request}\n" + "\n".join(f"    {line}" for line in found))
        elif differs is not None and not found:
            self.problems.append(f"{request}\n    no longer differs: {differs}; here {here.status}")
        if here.status >= 500 or not self._is_documented(method, path.partition("?")[0], here.status):
            self.problems.append(f"{request}\n    {here.status} is not what the OpenAPI document says")
        return here

    def _is_documented(self, method: str, path: str, status: int) -> bool:
        """Return False if the embedded service's document has the operation, but not that it may end so."""
        operations = next((methods for pattern, methods in self.documented if pattern.fullmatch(path)), {})
        return method not in operations or str(status) in operations[method]

    def create(self, who: str = "member", /, **attributes: Any) -> str:
        """Create an image on both sides and return its ID."""
        attributes.setdefault("id", self.new_id())
        self.send("POST", "/v2/images", attributes, who=who)
        return str(attributes["id"])

    def active(self, data: bytes = b"0123456789", who: str = "member", /, **attributes: Any) -> str:
        """Create a raw image with *data* on both sides and return its ID."""
        made = self.create(who, **{"disk_format": "raw", "container_format": "bare", **attributes})
        self.send("PUT", f"/v2/images/{made}/file", data=data, who=who, Content_Type=OCTETS)
        return made

    def patch(
        self, image: str, *operations: Any, who: str = "member", differs: str | None = None, media: str = PATCH_21
    ) -> Answer:
        """Update an image on both sides."""
        return self.send("PATCH", f"/v2/images/{image}", list(operations), who=who, differs=differs, Content_Type=media)

    def clear(self) -> None:
        """Delete every image of both sides."""
        for side in (self.embedded, self.glance):
            for query in ("visibility=all", "visibility=all&os_hidden=true"):
                listed = side.send("admin", "GET", f"/v2/images?limit=1000&{query}", None, {}).body
                for image in listed["images"]:
                    _delete(side, image)

    def check(self) -> None:
        """Raise AssertionError with every difference found since the last check."""
        problems, self.problems = self.problems, []
        assert not problems, f"{len(problems)} differences:\n" + "\n".join(problems)

    def _meaning(self, answer: Answer, side: _Side) -> dict[str, Any]:
        """Return what of *answer* must be the same on both sides."""
        meaning: dict[str, Any] = {"status": answer.status}
        for name in _COMPARED_HEADERS:
            if name in answer.headers:
                meaning[name] = _normal(answer.headers[name], side)
        # A refused range says here how long the image is, as RFC 9110 asks.
        if answer.status == 206:
            meaning["content-range"] = answer.headers.get("content-range")
        if "allow" in answer.headers:
            meaning["allow"] = sorted(re.split(r",\s*", answer.headers["allow"]))
        if answer.content:
            meaning["type"] = answer.headers.get("content-type", "").replace(" ", "").lower()
        if answer.status < 400:
            meaning["body"] = _normal(answer.body, side)
        elif isinstance(answer.body, dict):
            meaning["body"] = {**answer.body, "message": bool(answer.body.get("message"))}
        else:
            # Both other forms begin with the status line.
            title = re.search(r"\d{3} [A-Z][A-Za-z ]+", str(answer.body))
            meaning["body"] = title and title[0].strip()
        return meaning


def _delete(side: _Side, image: dict[str, Any]) -> None:
    path = f"/v2/images/{image['id']}"
    if image["protected"]:
        patch = json.dumps([{"op": "replace", "path": "/protected", "value": False}]).encode()
        side.send("admin", "PATCH", path, patch, {"Content-Type": PATCH_21})
    side.send("admin", "DELETE", path, None, {})


def _normal(value: Any, side: _Side, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _normal(item, side, name) for name, item in value.items()}
    if isinstance(value, list):
        items = [_normal(item, side) for item in value]
        return sorted(items) if key == "tags" and all(isinstance(item, str) for item in items) else items
    if not isinstance(value, str):
        return value
    if key == "user_id":
        # The users of the two sides have IDs of their own.
        return "<user>"
    if key in ("first", "next"):
        path, _, query = _without_ids(value).partition("?")
        return [path, sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))]
    value = value.replace(side.url, "")
    return re.sub(r"\d", "9", value) if _TIME.fullmatch(value) else _without_ids(value)


def _without_ids(text: str) -> str:
    """Return *text* without the IDs that a service has made up."""
    return _UUID.sub(lambda match: match[0] if match[0].startswith(_OWN_ID) else "<uuid>", text)


def differences(here: Any, there: Any, path: str = "") -> list[str]:
    """Return a line for each place where two JSON values are not equal."""
    if isinstance(here, dict) and isinstance(there, dict):
        found = []
        for name in [*here, *(name for name in there if name not in here)]:
            if name in here and name in there:
                found += differences(here[name], there[name], f"{path}.{name}")
            else:
                found.append(f"{path}.{name}: here {here.get(name, '-')!r}, Glance {there.get(name, '-')!r}")
        return found
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        pairs = enumerate(zip(here, there, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{path}[{index}]")]
    if here == there and type(here) is type(there):
        return []
    return [f"{path}: here {str(here)[:300]!r}, Glance {str(there)[:300]!r}"]


# --- the two ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def run_twin(glance_config: str = "", **settings: Any) -> Iterator[Twin]:
    """
    Run both services, with the identities of `glance_auth_filter` on either side, until the end of the block.

    Args:
        glance_config: More for Glance's configuration file; ``{folder}`` is a folder of its own.
        settings: More for the embedded service.
    """
    region = {"name": REGION, "stores": STORES}
    imports = {"methods": ["glance-direct", "web-download", "copy-image", "glance-download"]}
    # The Glance of `glance_backend` fetches from loopback, too.
    imports |= {"allowed_networks": ["127.0.0.0/8"], "allowed_ports": []}
    with (
        ImageService(regions=(region,), imports=imports, **settings) as service,
        run_glance(more_config=glance_config) as glance_url,
    ):
        embedded = _Side(f"{service.url}/image/{REGION}", _tokens(service))
        glance = _Side(glance_url, {name: identity.token for name, identity in IDENTITIES.items()})
        yield Twin(embedded, glance, _documented(embedded))


def twin_of(embedded_url: str, glance_url: str, tokens: dict[str, str]) -> Twin:
    """Return the two services that run at these addresses, with *tokens*, by name, that both know."""
    embedded = _Side(embedded_url, tokens)
    return Twin(embedded, _Side(glance_url, tokens), _documented(embedded))


def _documented(side: _Side) -> list[tuple[re.Pattern[str], dict[str, set[str]]]]:
    paths = side.send(None, "GET", "/openapi.json", None, {}).body["paths"]
    return [
        (
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))),
            {method.upper(): set(operation["responses"]) for method, operation in paths[path].items()},
        )
        # A path without parameters comes before one that it fits.
        for path in sorted(paths, key=lambda path: path.count("{"))
    ]


def _tokens(service: ImageService) -> dict[str, str]:
    """Make the same projects and users in the embedded service, and log them in."""
    with service.database.write() as connection:
        for project_id in sorted({identity.project_id for identity in IDENTITIES.values()}):
            row = {"id": project_id, "name": f"twin-{project_id[0]}", "region": REGION, "created_at": now()}
            connection.execute(insert(projects).values(enabled=True, **row))
    return {name: _token(service, name) for name in IDENTITIES}


def _token(service: ImageService, name: str) -> str:
    identity, password = IDENTITIES[name], secrets.token_urlsafe()
    with service.database.write() as connection:
        user = directory.create_user(connection, f"twin-{name}", password)
        directory.grant_role(
            connection, user, identity.roles[0], directory.find_project(connection, identity.project_id)
        )
    login = {"user": {"id": user.id, "password": password}}
    auth = {"identity": {"methods": ["password"], "password": login}, "scope": {"project": {"id": identity.project_id}}}
    side = _Side(service.auth_url.removesuffix("/v3"), {})
    headers = {"Content-Type": "application/json"}
    answer = side.send(None, "POST", "/v3/auth/tokens", json.dumps({"auth": auth}).encode(), headers)
    assert answer.status == 201, answer.content
    return answer.headers["x-subject-token"]
