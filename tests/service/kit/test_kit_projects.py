"""Projects, users and roles of tests; reset and seeds; the clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ecl
from ecl import exceptions
from ecl.testing import EclProject, ImageService, Refused


def test_a_named_user(service: ImageService) -> None:
    """A user has a name, and may get roles on several projects in several regions; each role counts."""
    one = service.add_project("jp1", "alice")
    two = service.add_project("jp2", "alice", role="reader", name="kit-two")

    assert (one.username, two.username, two.name, two.region) == ("alice", "alice", "kit-two", "jp2")
    assert two.password == one.password
    assert service.connect(project=one).image.create_image(name="kit", disk_format="raw").owner == one.id
    with pytest.raises(exceptions.ForbiddenException):
        service.connect(project=two).image.create_image(name="kit", disk_format="raw")
    assert service.credentials("jp1", "alice")["project_id"] == one.id


def test_the_password_works(service: ImageService) -> None:
    """A project's user can log in with its password, as other tools do."""
    project = service.add_project()
    connection = service.connect(project=project)

    assert list(connection.image.images()) == []
    assert "/v3/auth/tokens" in [each.path for each in service.requests]


def test_no_login(service: ImageService) -> None:
    """A connection to a new project logs in only when its token is refused."""
    connection = EclProject(service, service.add_project()).connection
    service.requests.clear()
    list(connection.image.images())

    assert not [each.path for each in service.requests if "auth/tokens" in each.path]
    service.clock.advance(7200)
    assert list(connection.image.images()) == []
    assert [each.path for each in service.requests if "auth/tokens" in each.path] == ["/v3/auth/tokens"]


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("There is no region 'jp9'; there are jp1, jp2", {"region": "jp9"}),
        ("There is no role 'boss'; the roles are", {"role": "boss"}),
        ("There is already a project named 'admin'", {"name": "admin"}),
        ("A user name has 1 to 255 printable characters", {"user": "a\nb"}),
    ],
)
def test_wrong_projects(service: ImageService, words: str, arguments: dict[str, str]) -> None:
    """What cannot be added is refused in one line, and nothing of it stays."""
    with pytest.raises(Refused, match=words):
        service.add_project(**arguments)  # type: ignore[arg-type]


def test_wrong_connections(service: ImageService) -> None:
    """A region or a project that is not there is an error that names what there is."""
    with pytest.raises(Refused, match="There is no region 'jp9'; the service has jp1, jp2"):
        service.connect("jp9")
    with pytest.raises(
        Refused, match=r"'bob' has no project in region 'jp1': add one with add_project\('jp1', 'bob'\)"
    ):
        service.connect(user="bob")


def test_a_project_is_removed_with_all_it_has(service: ImageService) -> None:
    """Images are gone with their data, public and protected ones too; so are users, and what others were shared."""
    project = EclProject(service, service.add_project())
    other = project.another()
    inner = other.another("jp2", user=project.project.username)
    public = project.another(role="admin")
    shared = project.image.create_image(name="kit", data=b"bytes", disk_format="raw", is_protected=True)
    project.image.create_member(shared, member_id=other.id)
    public.image.create_image(name="kit", data=b"more", disk_format="raw", visibility="public")
    public.image.create_metadef_namespace(namespace="Kit::Space", visibility="public")
    assert len(list(service.connect().image.images(name="kit"))) == 1
    project.remove()
    with pytest.raises(Refused, match=f"There is no project '{inner.id}'"):
        service.remove_project(inner.project)
    demo = service.connect().image

    assert list(demo.images()) == []
    assert [each.namespace for each in demo.metadef_namespaces()] == []
    kept = [each.read_bytes() for each in (service.data_dir / "images").rglob("*") if each.is_file()]
    assert not {b"bytes", b"more"} & {*kept}
    with pytest.raises(exceptions.UnauthorizedException):
        list(service.connect(project=project.project).image.images())


def test_reset(service: ImageService) -> None:
    """Images, jobs, projects, faults, journal and clock are as at the start; demo and admin go on."""
    demo, admin = service.connect().image, service.connect(user="admin").image
    project = service.add_project()
    fixed = "5a7ec6c4-8d1a-4bdb-a2a4-7d0d6a8be3a9"
    demo.create_image(id=fixed, name="kit", data=b"bytes", disk_format="raw", is_protected=True)
    admin.create_image(name="kit", data=b"more", disk_format="raw", visibility="public")
    demo.copy_image(fixed, service.credentials("jp2")["project_id"])
    service.faults.add(status=500)
    service.clock.advance(1000)
    service.reset()

    assert list(demo.images()) == []
    assert list(service.connect("jp2").image.images()) == []
    assert list(demo.list_image_copy_jobs()) == []
    assert service.faults.list() == []
    assert demo.create_image(id=fixed, name="again", data=b"other", disk_format="raw").id == fixed
    with pytest.raises(exceptions.UnauthorizedException):
        list(service.connect(project=project).image.images())
    assert "Traceback" not in service.log


def test_copies_go_on_after_a_reset(service: ImageService) -> None:
    """A reset in the middle of a copy does not keep the next copy from being made."""
    demo, target = service.connect().image, service.credentials("jp2")["project_id"]
    first = demo.create_image(name="kit", data=b"1" * 1_000_000, disk_format="raw", container_format="bare")
    demo.copy_image(first.id or "", target)
    service.reset()
    second = demo.create_image(name="kit", data=b"2" * 1_000_000, disk_format="raw", container_format="bare")
    done = demo.wait_for_image_copy(demo.copy_image(second.id or "", target), wait=60)

    assert (done.status, done.destination_tenant_id) == ("replicated", target)


def test_seed(service: ImageService, tmp_path: Path) -> None:
    """A manifest as a file or as a dict makes images with data, in the project that is asked for."""
    (tmp_path / "disk.raw").write_bytes(b"bytes of a disk")
    entry = {"name": "debian", "source": "disk.raw", "disk_format": "raw", "tags": ["base"], "properties": {"a": "1"}}
    path = tmp_path / "images.yaml"
    path.write_text(json.dumps({"images": [entry]}))
    project = service.add_project("jp2")
    by_file = service.seed(path)
    by_dict = service.seed({"images": [{**entry, "source": tmp_path / "disk.raw"}]}, project=project)
    proxy = service.connect(project=project).image

    assert list(by_file) == list(by_dict) == ["debian"]
    assert proxy.download_image(by_dict["debian"]) == b"bytes of a disk"
    assert proxy.get_image(by_dict["debian"]).tags == ["base"]
    assert service.seed(path) == by_file


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"images": [{"name": "a", "source": "/no/such/file", "disk_format": "raw"}]}, "a: .*/no/such/file"),
        ({"images": [{"name": "a", "sauce": "x"}]}, "unknown key 'sauce'"),
        ({}, "must have a list 'images'"),
        (Path("/no/such/manifest.yaml"), "/no/such/manifest.yaml"),
    ],
)
def test_wrong_seeds(service: ImageService, manifest: dict[str, object] | Path, words: str) -> None:
    """What is wrong with a manifest is said as the command says it."""
    with pytest.raises(Refused, match=words):
        service.seed(manifest)


def test_the_clock_ends_tokens(service: ImageService) -> None:
    """A token of an hour is refused when the clock is an hour ahead; a login helps."""
    token = service.connect().authorize()
    by_token = {"auth_type": "admin_token", "endpoint": f"{service.url}/image/jp1", "token": token}
    service.clock.advance(3601)
    with pytest.raises(exceptions.UnauthorizedException):
        list(ecl.connect(**by_token).image.images())
    assert list(service.connect().image.images()) == []


def test_the_clock_ends_tasks(service: ImageService) -> None:
    """Tasks that have expired by the new time are gone when the clock has been moved."""
    proxy = service.connect().image
    image = proxy.create_image(name="kit", disk_format="raw", container_format="bare")
    proxy.stage_image(image, b"bytes")
    proxy.import_image(image)
    proxy.wait_for_status(proxy.get_image(image), "active", wait=60)
    admin = service.connect(user="admin").image
    assert len(list(admin.tasks())) == 1
    service.clock.advance(3601)

    assert list(service.connect(user="admin").image.tasks()) == []


@pytest.mark.parametrize("seconds", [-1, 1e12])
def test_wrong_moves(service: ImageService, seconds: float) -> None:
    """The clock goes forward only, and not for ever."""
    with pytest.raises(Refused, match="can be moved by 0 to"):
        service.clock.advance(seconds)
