"""Commands with a cached token, which need no log-in and do without keystoneauth1: what they send, say and load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.commands import Command, Result
from support.http_stub import Answer, HttpStub, Keystone, make_certificate

IMAGE = {
    "id": "11111111-2222-3333-4444-555555555555", "name": "debian", "status": "active", "visibility": "private",
    "tags": ["a"], "protected": False, "min_disk": 0, "min_ram": 0, "size": 3, "owner": "0" * 32, "os_hidden": False,
}  # fmt: skip
PATH = f"/v2/images/{IMAGE['id']}"
LIST = ("image", "list", "-f", "json")
#: What libraries say of themselves, and which encodings they can read.
OWN_HEADERS = {"user-agent", "accept-encoding"}


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    """A cloud of which the test says what it answers."""
    with HttpStub() as server:
        yield server


@pytest.fixture
def keystone(stub: HttpStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keystone:
    """The cloud's Keystone. The user is logged in: the token is in the cache."""
    keystone = Keystone(stub)
    use_cloud(keystone, tmp_path, monkeypatch)
    stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))
    Command()(*LIST)
    assert len(keystone.logins) == 1
    return keystone


def use_cloud(keystone: Keystone, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    """Have clouds.yaml name the cloud of *keystone*, and a cache of its own."""
    path = folder / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"here": {"auth": keystone.options(), **settings}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))


def without_library(stub: HttpStub) -> list[bool]:
    """Tell of each request for images whether it was sent without keystoneauth1."""
    return ["keystoneauth1" not in each.headers["user-agent"] for each in stub.requests if "/v2/" in each.path]


# --- the same by both ways ------------------------------------------------------------------------------------

#: Words of a command, what the cloud answers to it, and its exit code.
COMMANDS: dict[str, tuple[tuple[str, ...], dict[tuple[str, str], Answer], int]] = {
    "list": (LIST, {}, 0),
    "list with filters": (("image", "list", "--name", "debian", "--tag", "ü b", "--property", "os=x", "--long"), {}, 0),
    "list shared": (("image", "list", "--shared-with-me", "-f", "csv"), {}, 0),
    "show": (("image", "show", str(IMAGE["id"]), "-f", "yaml"), {("GET", PATH): Answer.json(IMAGE)}, 0),
    "show by name": (("image", "show", "debian"), {("GET", "/v2/images/debian"): Answer(404)}, 0),
    "not found": (
        ("image", "show", "none"),
        {("GET", "/v2/images/none"): Answer(404), ("GET", "/v2/images"): Answer.json({"images": []})},
        1,
    ),
    "set": (
        ("image", "set", str(IMAGE["id"]), "--property", "os=ü", "--name", "new"),
        {("GET", PATH): Answer.json(IMAGE), ("PATCH", PATH): Answer.json({**IMAGE, "name": "new"})},
        0,
    ),
    "delete": (
        ("image", "delete", str(IMAGE["id"])), {("GET", PATH): Answer.json(IMAGE), ("DELETE", PATH): Answer(204)}, 0,
    ),
    "forbidden": (
        ("image", "delete", str(IMAGE["id"])),
        {
            ("GET", PATH): Answer.json(IMAGE),
            ("DELETE", PATH): Answer.json({"message": "not yours"}, 403, x_openstack_request_id="req-1"),
        },
        1,
    ),
    "create without data": (
        ("image", "create", "new", "--disk-format", "raw", "-f", "json"),
        {("POST", "/v2/images"): Answer.json({**IMAGE, "status": "queued"}, 201)},
        0,
    ),
    "portal": (LIST, {("GET", "/v2/images"): Answer(200, b"<html>", {"Content-Type": "text/html"})}, 1),
    "no list": (LIST, {("GET", "/v2/images"): Answer.json({"images": 3})}, 1),
    "moved": (LIST, {("GET", "/v2/images"): Answer(301, headers={"Location": "http://192.0.2.1/"})}, 1),
    "conflict": (LIST, {("GET", "/v2/images"): Answer(409, b"<h1>409</h1>busy")}, 1),
    "refused token": (LIST, {("GET", "/v2/images"): Answer(401, b"no")}, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_same_by_both_ways(
    name: str, ecl: Command, stub: HttpStub, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command sends the same requests and ends in the same way without keystoneauth1 and with it."""
    words, answers, code = COMMANDS[name]
    seen = []
    # A variable that names a proxy, which no_proxy then takes back, is a matter for requests.
    for environ in ({}, {"https_proxy": "http://127.0.0.1:9", "no_proxy": "*"}):
        for variable, value in environ.items():
            monkeypatch.setenv(variable, value)
        ecl(*LIST)
        stub.requests.clear()
        before = len(keystone.logins)
        stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))
        for (method, path), answer in answers.items():
            stub.on(method, path, answer)
        ended: Result = ecl(*words, code=code)
        assert without_library(stub)[0] is not bool(environ)
        sent = [
            (each.line, {k: v for k, v in each.headers.items() if k not in OWN_HEADERS}, each.body)
            for each in stub.requests
        ]
        logins = len(keystone.logins) - before
        tokens = {f"token-{before}": "old", f"token-{before + 1}": "new"}
        for _, headers, _ in sent:
            headers["x-auth-token"] = tokens.get(headers.get("x-auth-token", ""), "none")
        seen.append((sent, logins, ended.out, ended.err))
        stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))

    assert seen[0] == seen[1]
    assert stub.unexpected == []


# --- when it is used, and when not ----------------------------------------------------------------------------


def test_revoked_token_is_replaced_by_one_login(ecl: Command, stub: HttpStub, keystone: Keystone) -> None:
    """A token that the cloud does not take any more is answered by a log-in; the new one is kept for the next."""
    stub.requests.clear()
    stub.on("GET", "/v2/images", Answer(401, b"no"), Answer.json({"images": [IMAGE]}))

    assert [image["name"] for image in ecl(*LIST).json] == ["debian"]
    assert [each.headers["x-auth-token"] for each in stub.requests if "/v2/" in each.path] == ["token-1", "token-2"]
    assert len(keystone.logins) == 2
    stub.requests.clear()
    ecl(*LIST)
    assert [each.headers["x-auth-token"] for each in stub.requests] == ["token-2"]
    assert without_library(stub) == [True]


@pytest.mark.parametrize(
    "words", [("--debug",), ("--timing",), ("--no-token-cache",), ("--os-cert", "c.pem", "--os-key", "k.pem")]
)
def test_what_needs_the_library_has_it(
    words: tuple[str, ...], ecl: Command, stub: HttpStub, keystone: Keystone, tmp_path: Path
) -> None:
    """Showing requests and client certificates are keystoneauth1's; so are commands that are to log in."""
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("")
    given = [str(tmp_path / word) if word.endswith(".pem") else word for word in words]
    stub.requests.clear()
    ecl(*given, *LIST)

    assert without_library(stub) == [False]


@pytest.mark.parametrize("settings", [{"cacert": True}, {"verify": False}])
def test_tls(settings: dict[str, object], ecl: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a CA of its own a cloud is asked without keystoneauth1; without any check, with it and its warning."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        keystone = Keystone(stub)
        stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))
        given = {"cacert": str(certificate[0])} if settings.get("cacert") else settings
        use_cloud(keystone, tmp_path, monkeypatch, **given)
        results = [ecl(*LIST), ecl(*LIST)]

    assert without_library(stub) == [False, "cacert" in settings]
    assert results[0] == results[1]
    assert len(keystone.logins) == 1


def test_untrusted_certificate(ecl: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that is not accepted (any more) is the same error with a cached token; no token is sent."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))
        keystone = Keystone(stub)
        use_cloud(keystone, tmp_path, monkeypatch, cacert=str(certificate[0]))
        ecl(*LIST)
        stub.requests.clear()
        use_cloud(keystone, tmp_path, monkeypatch)
        shown = ecl(*LIST, code=1).err

    assert shown.startswith("Error: The certificate of https://127.0.0.1:")
    assert "cacert" in shown
    assert stub.requests == []


def test_unreachable(ecl: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is gone is the same error with a cached token as without."""
    monkeypatch.setattr("ecl._http.retry._sleep", lambda *_: None)
    with HttpStub() as stub:
        stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))
        use_cloud(Keystone(stub), tmp_path, monkeypatch)
        ecl(*LIST)
    shown = ecl(*LIST, code=1).err

    assert shown == (
        f"Error: Cannot reach {stub.url}: Connection refused. Check the address and that the service is up.\n"
    )


def test_token_near_its_end(ecl: Command, stub: HttpStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that ends within two minutes is not used by the next command, which logs in; that one's is."""
    keystone = Keystone(stub, lifetime=60)
    stub.on("GET", "/v2/images", Answer.json({"images": [IMAGE]}))
    use_cloud(keystone, tmp_path, monkeypatch)
    ecl(*LIST)
    short = len(keystone.logins)
    keystone.lifetime = 3600
    stub.requests.clear()
    ecl(*LIST)
    ecl(*LIST)

    assert len(keystone.logins) == short + 1
    assert without_library(stub) == [False, True]


def test_region_and_interface(ecl: Command, stub: HttpStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cached token serves each region and interface of the cloud, each at its own address."""
    keystone = Keystone(stub)
    keystone.serve_images(("jp1", "jp2"), ("public", "internal"))
    use_cloud(keystone, tmp_path, monkeypatch)
    ecl(*LIST, "--os-region-name", "jp1")
    stub.requests.clear()
    for region in ("jp1", "jp2"):
        for interface in ("public", "internal"):
            ecl(*LIST, "--os-region-name", region, "--os-interface", interface)
    shown = ecl(*LIST, "--os-region-name", "jp9", code=1).err

    assert [each.path for each in stub.requests] == [
        f"/image/{region}/{interface}/v2/images" for region in ("jp1", "jp2") for interface in ("public", "internal")
    ]
    assert without_library(stub) == [True] * 4
    assert "it has that service in the regions jp1, jp2" in shown
    assert len(keystone.logins) == 1


def test_what_a_list_loads(stub: HttpStub, keystone: Keystone) -> None:
    """With a cached token a list needs neither keystoneauth1 nor requests nor urllib3."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv = ['ecl', *{LIST!r}]\n"
        "from ecl.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env={**os.environ})

    assert [image["name"] for image in json.loads(done.stdout)] == ["debian"]
    assert not {"keystoneauth1", "requests", "urllib3", "rich", "oslo_utils"} & set(done.stderr.split())
    assert len(keystone.logins) == 1
