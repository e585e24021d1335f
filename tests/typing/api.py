"""User code that a strict type checker must accept: the annotations are part of the API. It is checked, not run."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, assert_type

from keystoneauth1.adapter import Adapter
from keystoneauth1.session import Session as KeystoneSession

import ecl
from ecl import exceptions
from ecl.config import CloudConfig, cloud_names, load
from ecl.connection import Connection, from_config
from ecl.image import DataStream, Image, ImageCopy, License, Member, Proxy, Scheme, json_patch
from ecl.image.transfer import download, upload
from ecl.image.v2._proxy import Proxy as DocumentedProxy
from ecl.image.v2.image import Image as DocumentedImage
from ecl.profile import Profile
from ecl.proxy2 import BaseProxy
from ecl.resource2 import URI, Body, Header, QueryParameters, Resource
from ecl.session import Session


def names() -> None:
    """A name is what it is in its module, and a name that is not there is an error: the ignore below is used."""
    assert_type(ecl.exceptions.ResourceNotFound("gone"), exceptions.ResourceNotFound)
    assert_type(Proxy, type[DocumentedProxy])
    assert_type(ecl.image.Image, type[DocumentedImage])
    ecl.conect()  # type: ignore[attr-defined]
    ecl.image.Imgae  # type: ignore[attr-defined]  # noqa: B018


def connections(keystone: KeystoneSession, adapter: Adapter) -> Proxy:
    """Every way in gives the same proxy."""
    assert_type(ecl.__version__, str)
    assert_type(ecl.connect("jp1", region_name="jp2"), Connection)
    assert_type(from_config(cloud_name="jp1"), Connection)
    assert_type(load("jp1"), CloudConfig)
    assert_type(cloud_names(), list[str])
    profile = Profile()
    profile.set_region(Profile.ALL, "jp2")
    conn = Connection(
        profile=profile, auth_url="https://keystone.example/v3", username="key", password="secret", project_id="0" * 32
    )
    assert_type(conn.authorize(), str | None)
    assert_type(conn.image, Proxy)
    for session in (keystone, adapter, conn.session, Session(profile)):
        Proxy(session)
    return conn.image


def images(proxy: Proxy, target: Path, file: IO[bytes]) -> None:
    """Images: metadata."""
    dotted: dict[str, Any] = {".os.type": "linux"}
    image = proxy.create_image(name="debian", os_distro="debian", **dotted)
    assert_type(image, Image)
    assert_type(proxy.create_image(name="debian", data=target, progress=print, force=True), Image)
    assert_type(proxy.images(limit=10, tag=["a", "b"], size_min=1), Iterator[Image])
    assert_type(proxy.get_image(image), Image)
    assert_type(proxy.get_image("id"), Image)
    assert_type(proxy.update_image(image, [{"op": "replace", "path": "/name", "value": "new"}]), Image)
    assert_type(proxy.update_image("id", {"name": "new", "os_distro": None}), Image)
    assert_type(proxy.update_image("id", name="new", is_protected=True, os_distro=None), Image)
    proxy.delete_image(image, ignore_missing=False)
    proxy.create_image(name="debian", min_disk=1, tags=["a"], protected=True, properties={"data": "x"}, is_hidden=True)
    proxy.create_image(name="debian", filename=target, disk_format="raw")
    proxy.create_image(min_disk="10")  # type: ignore[arg-type]
    proxy.images(limit="10")  # type: ignore[arg-type]
    assert_type(proxy.images(name=["a", "b"], size=[">=10", "<20"], created_at=">=2026-01-01"), Iterator[Image])
    assert_type(image.get("os_distro", "unknown"), Any)
    assert_type(image.get(Session()), Image)
    assert_type(image.is_protected, bool | None)
    assert_type(image.hash_value, str | None)

    assert_type(image.id, str | None)
    assert_type(image.size, int | None)
    assert_type(image.tags, list[str] | None)
    assert_type(image.protected, bool | None)
    assert_type(image.properties, dict[str, str])
    proxy.get_image_schema().validate(image)
    assert_type(image.to_dict(), dict[str, Any])
    assert_type(dict(image), dict[str, Any])
    assert_type(Image.name, None)
    assert_type(json_patch({"name": "new"}), list[dict[str, Any]])
    image.name = "new"
    assert_type(image.update(proxy.session), Image)


def finding(proxy: Proxy) -> None:
    """What must exist is never None."""
    assert_type(proxy.find_image("debian"), Image | None)
    assert_type(proxy.find_image("debian", ignore_missing=True), Image | None)
    assert_type(proxy.find_image("debian", ignore_missing=False), Image)
    assert_type(proxy.find_image("debian", False), Image)
    assert_type(proxy.find_image("debian", newest=True), Image | None)
    assert_type(proxy.find_image("debian", False, newest=True, hidden=True), Image)
    assert_type(proxy.images_named("debian"), Iterator[Image])


def data(proxy: Proxy, image: Image, target: Path, file: IO[bytes]) -> None:
    """Data goes where it was told to, and that is what comes back."""
    assert_type(proxy.download_image(image), bytes)
    assert_type(proxy.download_image(image, output=target), Path)
    assert_type(proxy.download_image("id", output="disk.raw"), str)
    assert_type(proxy.download_image("id", output=file), IO[bytes])
    assert_type(proxy.download_image("id", output=target, progress=lambda done, total: None), Path)
    assert_type(proxy.download_image(image, stream=True), DataStream)
    assert_type(proxy.download_image(image, stream=True).iter_content(1024), Iterator[bytes])
    assert_type(proxy.open_image(image).read(10), bytes)
    assert_type(download(proxy.session, image), bytes)
    assert_type(download(proxy.session, image, target), Path)

    for source in (b"bytes", bytearray(1), memoryview(b""), "path", target, io.BytesIO(), file, [b"a"], iter([b"a"])):
        assert_type(proxy.upload_image(image, source), Image)
        assert_type(upload(proxy.session, image, source), Image)


def members_and_tags(proxy: Proxy, image: Image) -> None:
    """Sharing, and labels."""
    member = proxy.create_member(image, member="0" * 32)
    assert_type(member, Member)
    assert_type(proxy.members("id"), Iterator[Member])
    assert_type(proxy.get_member(image, member), Member)
    assert_type(proxy.update_member("id", member, "accepted"), Member)
    assert_type(member.status, str | None)
    proxy.delete_member(image, "0" * 32)
    assert_type(proxy.add_member(image, member="0" * 32), Member)
    proxy.remove_member(member)
    proxy.add_tag(image, "tag")
    proxy.delete_tag("id", "tag")
    proxy.remove_tag(image, "tag")


def extensions(proxy: Proxy, image: Image) -> None:
    """What ECL has beside Glance."""
    job = proxy.copy_image(image, "0" * 32)
    assert_type(job, ImageCopy)
    assert_type(proxy.wait_for_image_copy(job, progress=print, interval=1, wait=60), ImageCopy)
    assert_type(proxy.get_image_copy_job("job"), ImageCopy)
    assert_type(proxy.list_image_copy_jobs(), Iterator[ImageCopy])
    assert_type(job.copy_progress, int | None)
    assert_type(proxy.licenses(), Iterator[License])
    for types in proxy.licenses():
        assert_type(types.license_switch_types, list[str] | None)
    assert_type(proxy.get_image_schema(), Scheme)
    assert_type(proxy.wait_for_status(image, "active"), Image)
    assert_type(proxy.wait_for_delete(image), Image)


def errors(proxy: Proxy) -> str | None:
    """What an error tells."""
    try:
        proxy.get_image("id")
    except exceptions.ResourceNotFound as error:
        assert_type(error.http_status, int | None)
        assert_type(error.message, str)
        return error.request_id
    return None


class Server(Resource):
    """A resource of one's own."""

    resources_key = "servers"
    base_path = "/v2/projects/%(project)s/servers"
    allow_list = True
    _query_mapping = QueryParameters("name", changed="changed-since")

    cores = Body[int]("vcpus", type=int, default=1)
    etag = Header[str]("etag")
    project = URI[str]("project")


class Servers(BaseProxy):
    """A proxy of one's own."""

    def servers(self, project: str) -> Iterator[Server]:
        """Yield servers."""
        return self._list(Server, project=project)


def own(session: Session) -> None:
    """Own resources keep their types."""
    server = Server.new(cores=2)
    assert_type(server, Server)
    assert_type(server.cores, int | None)
    assert_type(server.create(session), Server)
    assert_type(Server.find(session, "name"), Server | None)
    assert_type(Servers(session).servers("project"), Iterator[Server])
