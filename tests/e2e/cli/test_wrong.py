"""Every wrong use ends with 2 and one line that says what would be right."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.commands import ECL, Command
from support.http_stub import HttpStub, Keystone, make_certificate
from support.unsafe_images import UNSAFE

CASES = [
    ("imag list", "There is no command 'imag'; did you mean 'image'?"),
    ("image lsit", "There is no command 'lsit'; did you mean 'list'?"),
    ("image dowload x", "did you mean 'download'?"),
    ("image member lsit x", "There is no command 'lsit'; did you mean 'list'?"),
    ("token isue", "did you mean 'issue'?"),
    ("image list --statsu active", "No such option '--statsu'"),
    ("image list --statsu active", "'--status'"),
    ("image list -f jsn", "'jsn' is not one of the choices; did you mean 'json'?"),
    ("image list -f shell", "'shell' is not one of the choices"),
    ("image list --limit -1", "must be a whole number, 0 or more, not '-1'"),
    ("image list --limit x", "must be a whole number, 0 or more, not 'x'"),
    ("image list --page-size 0", "must be a whole number, 1 or more, not '0'"),
    ("image list --property novalue", "'novalue' is not KEY=VALUE"),
    ("image list --member-status acepted", "did you mean 'accepted'?"),
    ("image member-list {image} --sort-column staus", "There is no column 'staus'; did you mean 'status'?"),
    ("image list --os-clod x", "has no option --os-clod; did you mean '--os-cloud'?"),
    ("image list --os-usrname x", "did you mean '--os-username'?"),
    ("image list --os-cloud", "Option '--os-cloud' requires an argument"),
    ("--os-cloud hree image list", "There is no cloud 'hree' in clouds.yaml; did you mean 'here'?"),
    ("--os-auth-type pasword image list", "There is no authentication type 'pasword'; did you mean 'password'?"),
    ("image show", "Missing argument 'IMAGE'"),
    ("image show {image} -c nmae", "There is no column 'nmae'; did you mean 'name'?"),
    ("image show a b", "Got unexpected extra argument (b)"),
    ("image create", "Missing argument 'NAME'"),
    ("image create x --disk-format qcow", "there is no format 'qcow'; did you mean 'qcow2'?"),
    ("image create x --container-format bar", "did you mean 'bare'?"),
    ("image create x --property =v", "'=v' is not KEY=VALUE"),
    ("image create x --min-disk 10G", "must be a whole number from 0 to 2147483647, not '10G'"),
    ("image create x --min-ram 2147483648", "must be a whole number from 0 to 2147483647, not '2147483648'"),
    ("image create x --progress=fast --file f", "'fast' is not one of the choices"),
    ("image create x --progress fast --file f", "(fast); --progress takes one of: auto, bar, json, none"),
    ("image create x --file f --max-bandwidth fast", "must be bytes per second, such as 500K or 20M, not 'fast'"),
    ("image create x --file f --max-bandwidth 0", "must be bytes per second, such as 500K or 20M, not '0'"),
    ("image create x --file {folder}", "folder"),
    ("image update {image}", "There is nothing to change"),
    ("image update {image} --public --private", "--public and --private contradict each other"),
    ("image create x --community --tag a --shared", "--community and --shared contradict each other"),
    ("image list --private --public", "--private and --public contradict each other"),
    ("image update {image} --protected --unprotected", "--protected and --unprotected contradict each other"),
    ("image update {image} --unhidden --hidden", "--unhidden and --hidden contradict each other"),
    ("image update {image} --accept --reject", "--accept and --reject contradict each other"),
    ("image import {image} --allow-failure --disallow-failure", "contradict each other: give only one of them"),
    ("image unset {image}", "There is nothing to remove"),
    ("image upload {image}", "Missing option '--file'"),
    ("image download {image} --file /none/x", "/none"),
    ("image download {image} --file {folder}", "folder"),
    ("image download {image} --file x --connections 0", "must be a whole number from 1 to 16, not '0'"),
    ("image update-member {image} x acept", "did you mean 'accept'?"),
    ("image add-member {image}", "Missing argument 'PROJECT'"),
    ("image share {image}", "There is no project to share with"),
    ("image share {image} --accept-as gest", "did you mean 'guest'?"),
    ("image transfer {image} ther", "did you mean 'there'?"),
    ("image copy {image}", "Missing argument 'TENANT'"),
    ("image copy {image} x --wait --timeout 0", "must be a number of seconds greater than 0, not '0'"),
    ("image tag-add {image}", "Missing argument 'TAG...'"),
    ("image delete", "Missing argument 'IMAGE...'"),
    ("image schema-show imag", "did you mean 'image'?"),
    ("image sync /none", "'/none' does not exist"),
    ("image publish x --file f --keep -1", "must be a whole number, 0 or more, not '-1'"),
    ("completion tcsh", "'tcsh' is not one of the choices"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_wrong_use_is_one_line(
    ecl: Command, tmp_path: Path, request: pytest.FixtureRequest, line: str, expected: str
) -> None:
    """The code is 2, stdout is empty, and stderr is one line with the cure."""
    image = request.getfixturevalue("image") if "{image}" in line else ""
    ended = ecl(*line.format(image=image, folder=tmp_path).split(), code=2)

    assert expected in ended.err
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith("Error: ")


def test_same_flag_twice_and_a_value_like_a_flag_are_no_contradiction(ecl: Command, image: str) -> None:
    """Only two flags that set one thing differently are refused."""
    ended = ecl(*f"image update {image} --community --community --tag --public -f json".split())

    assert (ended.json["visibility"], ended.json["tags"]) == ("community", ["--public"])


LONG = "x" * 300


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["image", "create", LONG], 1, "is longer than 255 characters"),
        (["image", "create", "tagged", "--tag", LONG], 1, "is longer than 255 characters"),
        (["image", "show", LONG], 1, "There is no image with the name or ID"),
        (["image", "tag", "remove", "{image}", LONG], 1, "; nothing was changed"),
        (["image", "create", "x", "--disk-format", LONG], 2, "; choose from: ami,"),
        (["image", "create", "x", "--property", LONG], 2, "is not KEY=VALUE"),
        (["image", LONG], 2, "; choose from: list, show,"),
    ],
)
def test_long_value_does_not_hide_the_reason(
    ecl: Command, image: str, words: list[str], code: int, reason: str
) -> None:
    """A name, a tag or a value of 300 characters is cut in the error, and what is wrong with it is there."""
    ended = ecl(*(word.replace("{image}", image) for word in words), code=code)

    assert re.search(r"['\"]x{50,60}…['\"]", ended.err)
    assert "x" * 61 not in ended.err
    assert reason in ended.err
    assert len(ended.err.splitlines()) == 1


ADVICE = [
    ("image create x --file {disk} --disk-format qcow2", 2, "or upload it as it is with --force"),
    ("image upload {queued} --file {qcow2}", 2, "or upload it as it is with --force"),
    (
        "image import {queued} --method web-download --uri http://127.0.0.1:9/x",
        1,
        "To set them: ecl image update {queued} --disk-format FORMAT --container-format bare",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "expected"), ADVICE)
def test_advice_names_what_the_command_has(
    ecl: Command, disk: Path, tmp_path: Path, line: str, code: int, expected: str
) -> None:
    """Where the SDK or the cloud says what is missing, the command says which option or command sets it."""
    queued = ecl("image", "create", f"queued-{disk.parent.name}", "-f", "value", "-c", "id").out.strip()
    unsafe = tmp_path / "unsafe.qcow2"
    unsafe.write_bytes(UNSAFE["a qcow2 with a backing file"][1])
    values = {"disk": disk, "queued": queued, "qcow2": unsafe}
    ended = ecl(*line.format(**values).split(), code=code)

    assert expected.format(**values) in ended.err
    assert "or force the upload" not in ended.err
    assert len(ended.err.splitlines()) == 1


def test_reader_of_a_download_goes(image: str) -> None:
    """A download into a pipe that nothing reads any longer ends with 1 and without advice about the disk."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run([ECL, "image", "download", image], stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)

    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize("verb", ["remove-member", "update-member"])
def test_missing_member_is_said_once(ecl: Command, image: str, verb: str) -> None:
    """The error has one sentence, the cloud's, and the project's ID once before the request."""
    project = "0" * 31 + "1"
    ended = ecl("image", verb, image, project, *(["accepted"] if verb == "update-member" else []), code=1)

    sentence, _, _ = ended.err.partition(" (HTTP 404")
    assert sentence == f"Error: Image {image} has no member {project}."


@pytest.mark.parametrize("words", [(), ("image",), ("token",)])
def test_command_without_a_subcommand_shows_help(ecl: Command, words: tuple[str, ...]) -> None:
    """A group alone shows what it has."""
    shown = ecl(*words, code=2).err

    assert shown.startswith("Usage: ")
    assert re.search(r"^  (image|list|issue) ", shown, re.MULTILINE)


@pytest.mark.parametrize("name", ["", " "])
def test_empty_name_is_refused_or_not_found(ecl: Command, name: str) -> None:
    """An empty name is wrong; no image has a blank one."""
    ecl("image", "show", name, code=1 if name else 2)


def test_unreachable_cloud_is_one_line(ecl: Command) -> None:
    """A host that does not answer ends with 1 and its address."""
    ended = ecl("--os-auth-url", "http://127.0.0.1:9/v3", "image", "list", code=1)

    assert "Cannot reach http://127.0.0.1:9" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_no_cloud_at_all(ecl: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without any configuration the error says what to write where."""
    for name in ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    assert "clouds.yaml" in ecl("image", "list", code=2).err


def alone(*words: str, **environ: str) -> str:
    """Run the command in a process of its own, where it ends with 1 or 2; return what it said."""
    done = subprocess.run([ECL, *words], capture_output=True, text=True, env={**os.environ, **environ})
    assert done.returncode in (1, 2), done
    return done.stderr


def test_unreachable_cloud_is_one_line_in_a_process_of_its_own() -> None:
    """No warning of keystoneauth comes before the error."""
    said = alone("--os-auth-url", "http://127.0.0.1:9/v3", "image", "list")

    assert said.startswith("Error: Cannot reach http://127.0.0.1:9")
    assert len(said.splitlines()) == 1


def test_certificates(tmp_path: Path) -> None:
    """An untrusted certificate, and a file that is not there, are one line each that names the option."""
    with HttpStub(make_certificate(tmp_path)) as stub:
        Keystone(stub)
        untrusted = alone("--os-auth-url", stub.url + "/v3", "image", "list")
        missing = alone("--os-auth-url", stub.url + "/v3", "--os-cacert", "/no/such/ca.pem", "image", "list")

    assert f"The certificate of {stub.url} is not accepted" in untrusted
    assert "--os-cacert" in untrusted
    assert "There is no CA file /no/such/ca.pem" in missing
    assert [len(said.splitlines()) for said in (untrusted, missing)] == [1, 1]


def test_region_that_the_cloud_has_not(ecl: Command) -> None:
    """A region that is not in the catalog is answered by those that are."""
    ended = ecl("--os-region-name", "mars", "image", "list", code=1)

    assert "region_name 'mars'" in ended.err
    assert "jp1, jp2" in ended.err


def test_address_without_scheme(ecl: Command) -> None:
    """An address without a scheme is named."""
    ended = ecl("--os-auth-url", "keystone.example.com/v3", "--no-token-cache", "image", "list", code=2)

    assert "auth_url 'keystone.example.com/v3' has no scheme" in ended.err
