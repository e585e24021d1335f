"""Publishing, and a manifest made true."""

from __future__ import annotations

import bz2
import functools
import gzip
import hashlib
import http.server
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.commands import Command
from support.http_stub import Answer, HttpStub

pytestmark = pytest.mark.usefixtures("alone")


#: The header of an empty qcow2 disk of 3 GB.
QCOW2 = (
    (
        b"QFI\xfb"
        + (3).to_bytes(4, "big")
        + bytes(8)
        + bytes(4)
        + (16).to_bytes(4, "big")
        + (3 << 30).to_bytes(8, "big")
    ).ljust(72, b"\0")
    + bytes(24)
    + (4).to_bytes(4, "big")
    + (104).to_bytes(4, "big")
    + bytes(1 << 16)
)


def images(ecl: Command, *options: str) -> list[dict[str, Any]]:
    """All of the project's images, hidden ones too."""
    columns = ("-f", "json", "-c", "id", "-c", "name", "-c", "os_hidden", "-c", "checksum", *options)
    return [*ecl("image", "list", *columns).json, *ecl("image", "list", "--hidden", *columns).json]


def steps(ecl: Command, *words: str, code: int = 0) -> list[tuple[str, str]]:
    """Run sync and return its rows, as action and name."""
    rows = ecl("image", "sync", *words, "-f", "json", code=code).json
    return [(each["action"], each["name"]) for each in rows]


# --- publish --------------------------------------------------------------------------------------------------


def test_published_image_takes_the_place_of_the_previous(ecl: Command, disk: Path) -> None:
    """The name means the new image; the previous one is hidden, and those beyond --keep are deleted."""
    made = [ecl("image", "publish", "base", "--file", str(disk), "--keep", "1", "-f", "json").json for _ in range(3)]

    left = {each["id"]: each["os_hidden"] for each in images(ecl)}

    assert [(each["status"], each["os_hidden"]) for each in made] == [("active", False)] * 3
    assert left == {made[2]["id"]: False, made[1]["id"]: True}
    assert ecl("image", "show", "base", "-f", "json").json["id"] == made[2]["id"]


def test_published_image_renames_the_previous(ecl: Command, disk: Path) -> None:
    """With --rename the previous ones have their date in the name, and --keep counts them."""
    first = ecl("image", "publish", "base", "--file", str(disk), "-f", "json").json
    ecl("image", "create", "base-other")
    second = ecl("image", "publish", "base", "--file", str(disk), "--rename", "-f", "json").json
    date = first["created_at"].replace("-", "").replace(":", "")

    assert sorted(each["name"] for each in images(ecl)) == ["base", f"base-{date}", "base-other"]

    third = ecl("image", "publish", "base", "--file", str(disk), "--rename", "--keep", "0", "--yes", "-f", "json").json
    assert {each["id"] for each in images(ecl)} - {first["id"], second["id"]} == {
        third["id"], *(each["id"] for each in images(ecl, "--name", "base-other")),
    }  # fmt: skip
    assert not {first["id"], second["id"]} & {each["id"] for each in images(ecl)}


@pytest.mark.parametrize("rename", [(), ("--rename",)])
def test_keep_counts_hidden_and_renamed_images(ecl: Command, disk: Path, rename: tuple[str, ...]) -> None:
    """--keep N keeps the N newest, however they were put aside; an image that only looks similar stays."""
    ecl("image", "create", "-f", "json", "--", "-20260101T000000Z")
    words = ("image", "publish", "base", "--file", str(disk), "-f", "json")
    made = [ecl(*words, *more).json["id"] for more in ((), (), ("--rename",), ())]

    last = ecl(*words, *rename, "--keep", "1", "--yes").json["id"]

    assert {each["id"] for each in images(ecl) if each["name"].startswith("base")} == {made[3], last}
    assert len(images(ecl)) == 3


def test_publish_shows_its_plan(ecl: Command, disk: Path) -> None:
    """--dry-run names what would be uploaded, hidden and deleted, and does nothing; it checks the file."""
    first = ecl("image", "publish", "base", "--file", str(disk), "-f", "value", "-c", "id").out.strip()

    words = ("image", "publish", "base", "--file", str(disk), "--keep", "0", "--dry-run")

    assert ecl(*words, "-f", "json").json == [
        {"action": "upload", "name": "base", "id": None, "why": f"from {disk}"},
        {"action": "hide", "name": "base", "id": first, "why": ""},
        {"action": "delete", "name": "base", "id": first, "why": ""},
    ]
    assert ecl(*words, "-f", "value", "-c", "action", "-c", "status").out == "upload\nhide\ndelete\n"
    assert "-f shell cannot show" in ecl(*words, "-f", "shell", code=2).err
    assert "is raw, but" in ecl(*words, "--disk-format", "qcow2", code=2).err
    assert [each["id"] for each in images(ecl)] == [first]


def test_failed_publish_leaves_the_previous(ecl: Command, disk: Path, tmp_path: Path) -> None:
    """What cannot be uploaded changes nothing."""
    first = ecl("image", "publish", "base", "--file", str(disk), "-f", "value", "-c", "id").out.strip()

    ecl("image", "publish", "base", "--file", str(tmp_path / "none"), code=2)
    ecl("image", "publish", "base", "--file", str(disk), "--disk-format", "qcow2", code=2)

    assert [(each["id"], each["os_hidden"]) for each in images(ecl)] == [(first, False)]


# --- sync -----------------------------------------------------------------------------------------------------


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest of two images."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.raw").write_bytes(b"\0" + name.encode() * 1000)
    path = tmp_path / "images.yaml"
    path.write_text(
        """\
images:
  - name: one
    source: one.raw
    disk_format: raw
    min_disk: 1
    tags: [base]
    properties: {os_distro: debian}
  - {name: two, source: two.raw}
"""
    )
    return path


def test_manifest_is_made_true_and_stays_so(ecl: Command, manifest: Path) -> None:
    """The plan changes nothing; --apply does it; once more, there is nothing to do."""
    plan = steps(ecl, str(manifest))
    before = images(ecl)
    done = steps(ecl, str(manifest), "--apply")
    again = steps(ecl, str(manifest), "--apply")
    one = ecl("image", "show", "one", "-f", "json").json

    assert plan == done == [("create", "one"), ("create", "two")]
    assert before == []
    assert again == [("keep", "one"), ("keep", "two")]
    assert (one["min_disk"], one["tags"], one["os_hidden"]) == (1, ["base"], False)
    assert one["properties"] == {"ecl_sync": "images", "os_distro": "debian"}


def test_changed_metadata_is_updated_and_changed_data_uploaded_anew(ecl: Command, manifest: Path) -> None:
    """Metadata changes in place; for other data there is a new image, and the previous one is hidden, not deleted."""
    steps(ecl, str(manifest), "--apply")
    first = ecl("image", "show", "two", "-f", "json").json["id"]
    manifest.write_text(manifest.read_text().replace("debian", "alma").replace("[base]", "[base, x]"))
    (manifest.parent / "two.raw").write_bytes(b"\0" * 3000)

    plan = ecl("image", "sync", str(manifest), "--apply", "-f", "json").json
    two = ecl("image", "show", "two", "-f", "json").json

    assert [(each["action"], each["why"]) for each in plan] == [
        ("update", "os_distro, tags"), ("replace", "the data differs"), ("hide", "replaced"),
    ]  # fmt: skip
    assert ecl("image", "show", "one", "-f", "json").json["tags"] == ["base", "x"]
    assert two["checksum"] == hashlib.md5(b"\0" * 3000).hexdigest()
    assert {each["id"]: each["os_hidden"] for each in images(ecl, "--name", "two")} == {two["id"]: False, first: True}
    assert steps(ecl, str(manifest), "--apply") == [("keep", "one"), ("keep", "two")]


def test_only_prune_deletes_and_only_what_the_manifest_made(ecl: Command, manifest: Path) -> None:
    """--prune deletes replaced and forgotten images of the manifest; others stay, and somebody has to say yes."""
    ecl("image", "create", "foreign")
    steps(ecl, str(manifest), "--apply")
    manifest.write_text(manifest.read_text().replace("  - {name: two, source: two.raw}\n", ""))

    assert steps(ecl, str(manifest), "--apply") == [("keep", "one")]
    assert steps(ecl, str(manifest), "--prune") == [("keep", "one"), ("delete", "two")]
    assert "give --yes" in ecl("image", "sync", str(manifest), "--prune", "--apply", code=2).err
    assert sorted(each["name"] for each in images(ecl)) == ["foreign", "one", "two"]

    steps(ecl, str(manifest), "--prune", "--apply", "--yes")
    assert sorted(each["name"] for each in images(ecl)) == ["foreign", "one"]


def test_image_that_is_there_already_is_adopted(ecl: Command, manifest: Path) -> None:
    """An image of the name with the same data is marked, not uploaded again."""
    there = ecl("image", "create", "two", "--file", str(manifest.parent / "two.raw"), "-f", "json").json

    assert steps(ecl, str(manifest), "--apply") == [("create", "one"), ("update", "two")]
    assert ecl("image", "show", "two", "-f", "json").json["id"] == there["id"]


def test_two_of_one_name_are_a_conflict_and_the_rest_is_done(ecl: Command, manifest: Path) -> None:
    """What cannot be decided is named, the exit code is 1, and the other images are made."""
    for _ in range(2):
        ecl("image", "create", "two", "--file", str(manifest.parent / "two.raw"))

    assert steps(ecl, str(manifest), "--apply", code=1) == [("create", "one"), ("conflict", "two")]


def test_many_clouds(ecl: Command, manifest: Path, clouds_yaml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cloud has its own rows; one that does not exist stops all before anything is done."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
    manifest.write_text(f"name: many\nclouds: [guest, there]\n{manifest.read_text()}")

    rows = ecl("image", "sync", str(manifest), "--apply", "-f", "json").json
    unknown = ecl("image", "sync", str(manifest), "--cloud", "nowhere", "--apply", code=2)

    assert [(each["cloud"], each["action"]) for each in rows] == [
        ("guest", "create"), ("guest", "create"), ("there", "create"), ("there", "create"),
    ]  # fmt: skip
    assert "no cloud 'nowhere'" in unknown.err


def test_two_names_of_one_project_are_one(
    ecl: Command, manifest: Path, clouds_yaml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloud that stands in clouds.yaml under two names is planned once: no image is made twice."""
    clouds = yaml.safe_load(clouds_yaml.read_text())["clouds"]
    path = tmp_path / "twins.yaml"
    path.write_text(yaml.safe_dump({"clouds": {**clouds, "alias": clouds["guest"]}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    manifest.write_text(f"name: twins\nclouds: [guest, there, alias]\n{manifest.read_text()}")

    done = ecl("image", "sync", str(manifest), "--apply", "-f", "json")

    assert [each["cloud"] for each in done.json] == ["guest", "guest", "there", "there"]
    assert "alias is the same project as guest, so it is left out." in done.err
    again = ecl("image", "sync", str(manifest), "--apply", "--prune", "-f", "json").json
    assert {each["action"] for each in again} == {"keep"}
    ecl("image", "sync", str(manifest), "--apply", "--prune", "--yes")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{name: x, source: nope.raw}", "nope.raw"),
        ("{name: x, source: two.raw, disk_format: qcow2}", "is raw, but the image says disk_format qcow2"),
        ("{name: x, source: cow.qcow2, min_disk: 1}", "holds a disk of 3 GB, but the image says min_disk 1"),
        ("{name: x, source: empty.raw}", "is empty: an image needs data"),
        ("{name: x, source: cow.gz}", "is compressed with gzip: give it decompress: true"),
        ("{name: x, source: plain.txt}", "is text, not a disk: if it is one all the same, give the image a key"),
        ("{name: x, source: 'http://127.0.0.1:9/x'}", "/x cannot be fetched: Connection refused; check the address"),
    ],
)
@pytest.mark.parametrize("apply", [(), ("--apply",)])
def test_plan_checks_the_sources(
    ecl: Command, manifest: Path, entry: str, problem: str, apply: tuple[str, ...]
) -> None:
    """A source that cannot be uploaded is an error of the plan already, with exit code 1; the others are done."""
    (manifest.parent / "cow.qcow2").write_bytes(QCOW2)
    (manifest.parent / "cow.gz").write_bytes(gzip.compress(QCOW2))
    (manifest.parent / "empty.raw").touch()
    (manifest.parent / "plain.txt").write_text("hello\n")
    manifest.write_text(f"{manifest.read_text()}  - {entry}\n")

    ended = ecl("image", "sync", str(manifest), "-f", "json", *apply, code=1)

    assert [(each["action"], each["name"]) for each in ended.json] == [
        ("create", "one"), ("create", "two"), ("error", "x"),
    ]  # fmt: skip
    assert problem in ended.json[2]["why"]
    assert not re.search("force|True|Error|HTTPConnection", ended.json[2]["why"])
    assert sorted(each["name"] for each in images(ecl)) == (["one", "two"] if apply else [])


def test_lost_source_deletes_nothing(ecl: Command, manifest: Path) -> None:
    """With --prune, too, the image stays whose source cannot be read."""
    steps(ecl, str(manifest), "--apply")
    (manifest.parent / "two.raw").unlink()

    assert steps(ecl, str(manifest), "--apply", "--prune", "--yes", code=1) == [("keep", "one"), ("error", "two")]
    assert sorted(each["name"] for each in images(ecl)) == ["one", "two"]


def test_checksum_of_a_file_is_held_to(ecl: Command, manifest: Path) -> None:
    """A file that differs from the manifest is not uploaded."""
    text = manifest.read_text().replace("source: two.raw", f"source: two.raw, checksum: 'sha256:{'0' * 64}'")
    manifest.write_text(text)

    rows = ecl("image", "sync", str(manifest), "--apply", "-f", "json", code=1).json

    assert [each["action"] for each in rows] == ["create", "error"]
    assert "differs from the manifest" in rows[1]["why"]
    assert [each["name"] for each in images(ecl)] == ["one"]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of an HTTP server of *tmp_path*."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("where", ["", "web"])
def test_compressed_sources_are_decoded(ecl: Command, web: str, tmp_path: Path, where: str) -> None:
    """With decompress, the data is what the source decodes to; it is uploaded again only when that has changed."""
    path, packed = tmp_path / "images.yaml", tmp_path / "two.packed"
    source = f"{web}/{packed.name}" if where else packed.name
    path.write_text(f"images: [{{name: two, source: '{source}', decompress: true, disk_format: raw}}]")
    packed.write_bytes(gzip.compress(b"\0two" * 1000))

    assert steps(ecl, str(path)) == [("create", "two")]
    assert steps(ecl, str(path), "--apply") == [("create", "two")]
    made = ecl("image", "show", "two", "-f", "json").json
    assert made["checksum"] == hashlib.md5(b"\0two" * 1000).hexdigest()
    assert steps(ecl, str(path), "--apply") == [("keep", "two")]

    packed.write_bytes(gzip.compress(b"\0new" * 2000))
    # Last-Modified has no parts of a second.
    os.utime(packed, (0, 0))
    assert steps(ecl, str(path), "--apply") == [("replace", "two"), ("hide", "two")]
    assert ecl("image", "show", "two", "-f", "json").json["size"] == 8000


def test_data_that_is_compressed_in_another_way_is_the_same(ecl: Command, tmp_path: Path) -> None:
    """What counts is the decoded data: a file that was packed again is not uploaded, nor one that is there."""
    path, packed = tmp_path / "images.yaml", tmp_path / "two.packed"
    path.write_text("images: [{name: two, source: two.packed, decompress: true}]")
    packed.write_bytes(gzip.compress(b"\0two" * 1000))
    there = ecl("image", "create", "two", "--file", str(packed), "--decompress", "-f", "json").json["id"]

    for content in (packed.read_bytes(), bz2.compress(b"\0two" * 1000)):
        packed.write_bytes(content)
        assert steps(ecl, str(path), "--apply") == [("update", "two")]
        assert steps(ecl, str(path), "--apply") == [("keep", "two")]
    assert [each["id"] for each in images(ecl)] == [there]


def test_plan_checks_what_a_source_decodes_to(ecl: Command, manifest: Path) -> None:
    """A file that is compressed, or missing, and a disk that is not what the manifest says, are errors of the plan."""
    folder = manifest.parent
    (folder / "cow.gz").write_bytes(gzip.compress(QCOW2))
    (folder / "cut.gz").write_bytes(gzip.compress(QCOW2)[:20])
    manifest.write_text(
        f"{manifest.read_text()}"
        "  - {name: a, source: cow.gz, decompress: true, disk_format: vdi}\n"
        "  - {name: b, source: cow.gz}\n"
        "  - {name: c, source: none.gz, decompress: true}\n"
        "  - {name: d, source: cut.gz, decompress: true}\n"
        "  - {name: e, source: cow.gz, decompress: true, disk_format: qcow2}\n"
    )
    rows = ecl("image", "sync", str(manifest), "-f", "json", code=1).json

    assert [each["action"] for each in rows] == ["create", "create", "error", "error", "error", "error", "create"]
    whys = [each["why"] for each in rows if each["action"] == "error"]
    for why, words in zip(
        whys, ("says disk_format vdi", "is compressed with gzip: give it decompress: true", "none.gz", "is cut off"),
        strict=True,
    ):  # fmt: skip
        assert words in why
        assert "force" not in why


def test_source_of_the_web(ecl: Command, web: str, tmp_path: Path) -> None:
    """An address is fetched and uploaded; it is fetched again only when it has changed."""
    (tmp_path / "web.raw").write_bytes(b"\0web" * 1000)
    path = tmp_path / "web.yaml"
    path.write_text(f"images: [{{name: web, source: '{web}/web.raw'}}]")

    assert steps(ecl, str(path), "--apply") == [("create", "web")]
    assert steps(ecl, str(path), "--apply") == [("keep", "web")]

    digest = hashlib.sha256(b"\0web" * 1000).hexdigest()
    wrong = "f" * 64
    path.write_text(f"images: [{{name: web, source: '{web}/web.raw', checksum: 'sha256:{digest}'}}]")
    assert steps(ecl, str(path), "--apply")[0] == ("replace", "web")
    assert steps(ecl, str(path), "--apply") == [("keep", "web")]
    path.write_text(f"images: [{{name: other, source: '{web}/web.raw', checksum: 'sha256:{wrong}'}}]")
    assert steps(ecl, str(path), "--apply", code=1) == [("error", "other")]
    assert images(ecl, "--name", "other") == []


def test_source_of_the_web_is_asked_for_as_it_is(ecl: Command, tmp_path: Path) -> None:
    """No encoding is asked for: the server's bytes are the image's, and so are its size and hash."""
    path = tmp_path / "web.yaml"
    with HttpStub() as stub:
        stub.on("HEAD", "/disk.raw", Answer(200, headers={"ETag": "1"}))
        stub.on("GET", "/disk.raw", Answer(200, os.urandom(9000), {"ETag": "1"}))
        path.write_text(f"images: [{{name: web, source: '{stub.url}/disk.raw'}}]")
        assert steps(ecl, str(path), "--apply") == [("create", "web")]
        asked = [request.headers for request in stub.requests]

    assert asked
    assert {headers["accept-encoding"] for headers in asked} == {"identity"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(404), "cannot be fetched: the server answered 404 Not Found; correct the source"),
        (Answer(dropped=True), "cannot be fetched: the connection was dropped; check the address"),
        (Answer(302, headers={"Location": "/disk.raw"}), "is not a valid address, or redirects without end"),
        (Answer(200, b"\0" * 9000, {"ETag": "1"}, cut=100), "cannot be fetched: the connection was dropped"),
        (Answer(200, b"<html>log in</html>", {"ETag": "1"}), "is a web page or XML, not a disk"),
        (Answer(200, b"", {"ETag": "1"}), "is empty: an image needs data"),
    ],
)
def test_source_that_cannot_be_fetched(ecl: Command, tmp_path: Path, answer: Answer, why: str) -> None:
    """What the server of a source does wrong is one sentence with the remedy, in our words; no image is left."""
    path = tmp_path / "web.yaml"
    with HttpStub() as stub:
        stub.on("HEAD", "/disk.raw", Answer(answer.status, headers=answer.headers, dropped=answer.dropped))
        stub.on("GET", "/disk.raw", answer)
        path.write_text(f"images: [{{name: web, source: '{stub.url}/disk.raw'}}]")
        ended = ecl("image", "sync", str(path), "--apply", "-f", "json", code=1)

    assert [each["action"] for each in ended.json] == ["error"]
    assert why in ended.json[0]["why"]
    assert not re.search("Pool|Error|force|True|Errno", ended.json[0]["why"])
    assert images(ecl) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("images: [{name: a, sorce: b}]", "unknown key 'sorce'; did you mean 'source'?"),
        ("images: [{name: a}]", "image 'a' has no source"),
        ("images: [{name: a, source: b, decompress: gzip}]", "decompress must be true or false, not 'gzip'"),
        ("images: [{source: a}]", "image 1 has no name"),
        ("images: [{name: a, source: b}, {name: a, source: c}]", "two images named 'a'"),
        ("images: [{name: a, source: b, min_disk: x}]", "min_disk must be a whole number"),
        ("images: [{name: a, source: b, properties: {v: 13}}]", "property 'v' must be text; put it into quotes"),
        ("images: [{name: a, source: b, properties: {name: c}}]", "not a property; give the image a key 'name'"),
        ("images: [{name: a, source: b, properties: {os_hidden: c}}]", "give the image a key 'hidden'"),
        ("images: [{name: a, source: b, properties: {size: c}}]", "a manifest cannot set it"),
        ("images: [{name: a, source: b, checksum: 'sha256:0'}]", "checksum must be ALGORITHM:HEX"),
        ("images: [{name: a, source: 'ftp://b/c'}]", "not 'ftp'"),
        ("images: [{name: a, source: b, visibility: publik}]", "no visibility 'publik'; did you mean 'public'?"),
        ("images: [{name: a, source: b, disk_format: qcow}]", "no disk_format 'qcow'; did you mean 'qcow2'?"),
        ("images: [{name: a, source: b, container_format: bar}]", "no container_format 'bar'; did you mean 'bare'?"),
        ("images: {}", "must have a list 'images'"),
        ("- [", "wrong.yaml, line 1, column 4: "),
        ("images:\n - {name: a\n   source: b}\n", "wrong.yaml, line 3, column 10: a bracket is still open here"),
        ("images:\n - name: a\n\t source: b\n", "line 3, column 1: a tab; indent with blanks"),
        ("images:\n - name: a\n  source: b\n", "line 3, column 3: the indent does not fit the lines above"),
        ("images: [{name: @a, source: b}]", "line 1, column 17: a value begins with a special character"),
        ("images: [{name: *a, source: b}]", "a value begins with *, which names an anchor; put it into quotes"),
        ("images: [{name: !a b, source: b}]", "a value begins with !, which names a type; put it into quotes"),
        ("images:\n - name: a: b\n", "line 2, column 11: a second ': ' in one value"),
        ("images: []\n---\nimages: []\n", "line 2, column 1: a second document begins"),
        ('images:\n - name: "a\n', "a quote or a bracket is not closed"),
        ("images: [{[a]: b}]", "a key is a list or a mapping; a key must be text"),
        ("images: \x01", "line 1, column 9: a control character; remove it"),
        ("images:\n - name: \udcff", "line 2, column 10: bytes that are not UTF-8; save the file as UTF-8"),
        ("images: [{name: 2026-13-45, source: b}]", "a value is not valid (month must be in 1..12); put text into"),
        ("images: [{name: a, source: 'http:///b'}]", "image 'a': source 'http:///b' names no host"),
        ("images: [{name: a, source: 'http://[::1/b'}]", "source 'http://[::1/b' is not an address"),
        ("clouds: x\nimages: []", "clouds must be a list of names"),
    ],
)
def test_wrong_manifest_is_one_line(ecl: Command, tmp_path: Path, text: str, problem: str) -> None:
    """What is wrong in a manifest is named, with the entry or the place, in our words."""
    path = tmp_path / "wrong.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))

    ended = ecl("image", "sync", str(path), code=2)

    assert problem in ended.err
    assert "<" not in ended.err
    assert len(ended.err.splitlines()) == 1
