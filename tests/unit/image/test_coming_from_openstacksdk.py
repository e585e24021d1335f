"""What users of openstacksdk write: it does the same here, or says what to write instead."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from ecl import exceptions
from ecl.image.v2.image import Image
from support.http_stub import Answer

ID = "00000000-0000-4000-8000-000000000001"
WIRE = {
    "id": ID,
    "name": "debian",
    "status": "queued",
    "protected": True,
    "os_hidden": True,
    "owner": "p",
    "os_hash_algo": "sha512",
    "os_hash_value": "ab",
    "os_distro": "d",
}
#: Names from the catalogue of definitions that comes with Glance, and ECL's.
PROPERTIES = """
    architecture auto_disk_config boot_menu cinder_encryption_key_id cpu_cores description disk_allocation_ratio
    hw_boot_menu hw_cdrom_bus hw_cpu_policy hw_disk_bus hw_firmware_type hw_machine_type hw_qemu_guest_agent
    hw_scsi_model hw_video_ram hw_vif_model hypervisor_type img_config_drive img_hide_hypervisor_id img_signature
    instance_uuid kernel_id license_switch max_io_ops_per_host mem_encryption mem_page_size metadata os_admin_user
    os_command_line os_distro os_require_quiesce os_secure_boot os_version ramdisk_id tpm_version usage_type
    virtio_packed_ring vm_mode vmware_disktype vmware_ostype watchdog_action
"""


@pytest.fixture
def created(stub):
    """A service that creates and changes the image."""
    stub.on("POST", "/v2/images", Answer.json(WIRE, 201))
    stub.on("PATCH", f"/v2/images/{ID}", Answer.json(WIRE))
    return stub


# --- create -----------------------------------------------------------------------------------------------


def test_name_by_position(proxy, created):
    """The name may come first, without its keyword; nothing else may."""
    proxy.create_image("debian", disk_format="raw")

    assert created.last.json == {"name": "debian", "disk_format": "raw"}
    with pytest.raises(TypeError, match="takes the name by position; give everything else by keyword"):
        proxy.create_image("debian", "raw")
    with pytest.raises(TypeError, match="takes the name by position"):
        proxy.create_image("debian", name="x")
    with pytest.raises(exceptions.InvalidRequest, match="name must be text, not int"):
        proxy.create_image(5)
    assert len(created.requests) == 1


def test_filename(proxy, stub, tmp_path: Path):
    """*filename* is the path of the data, as *data* may be; both are refused."""
    path = tmp_path / "disk.raw"
    path.write_bytes(b"data")
    described = {**WIRE, "size": 4, "disk_format": "raw", "container_format": "bare"}
    md5 = "8d777f385d3dfec8815d20f7496026dc"
    stub.on("POST", "/v2/images", Answer.json({**described, "size": None, "os_hash_value": None}, 201))
    stub.on("PUT", f"/v2/images/{ID}/file", Answer(204))
    known = {**described, "status": "active", "checksum": md5, "os_hash_algo": None, "os_hash_value": None}
    stub.on("GET", f"/v2/images/{ID}", Answer.json(known))

    image = proxy.create_image("debian", filename=path, disk_format="raw", wait=True, validate_checksum=True)

    assert image.status == "active"
    assert [request.body for request in stub.requests if request.method == "PUT"] == [b"data"]
    assert stub.requests[0].json == {"name": "debian", "disk_format": "raw", "container_format": "bare"}
    with pytest.raises(exceptions.InvalidRequest, match="filename and data are two sources"):
        proxy.create_image("debian", filename=path, data=b"x")
    [many] = proxy.upload_images([{"name": "debian", "filename": path, "is_hidden": True, "disk_format": "raw"}])
    assert many.status == "active"
    assert [r.json.get("os_hidden") for r in stub.requests if r.method == "POST"] == [None, True]


@pytest.mark.parametrize(("alias", "name"), [("is_protected", "protected"), ("is_hidden", "os_hidden")])
def test_flags(alias, name, proxy, created):
    """is_protected and is_hidden are sent by the API's names, unless they are properties by *properties*."""
    proxy.create_image("x", **{alias: False})
    proxy.create_image("x", properties={alias: "text"})
    proxy.update_image(ID, **{alias: False})
    proxy.update_image(ID, {alias: "text"})

    bodies = [request.json for request in created.requests]
    assert bodies == [
        {"name": "x", name: False},
        {"name": "x", alias: "text"},
        [{"op": "replace", "path": f"/{name}", "value": False}],
        [{"op": "add", "path": f"/{alias}", "value": "text"}],
    ]
    with pytest.raises(exceptions.InvalidRequest, match=f"{alias} and {name} are the same"):
        proxy.create_image("x", **{alias: False, name: True})


def test_owner_id(proxy, created):
    """owner_id is sent as owner."""
    proxy.create_image("x", owner_id="p")

    assert created.last.json == {"name": "x", "owner": "p"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"allow_duplicates": False}, "ask find_image"),
        ({"use_import": True}, r"then use import_image\(\)"),
        ({"stores": ["fast"]}, r"then use import_image\(\)"),
        ({"remote_region": "jp2"}, r"then use import_image\(\)"),
        ({"meta": {"a": "b"}}, "properties as a mapping 'properties'"),
    ],
)
def test_arguments_that_mean_something_else(arguments, message, proxy, stub):
    """An argument of openstacksdk that would change what happens is refused with what to write instead."""
    with pytest.raises(exceptions.InvalidRequest, match=message):
        proxy.create_image("x", **arguments)
    assert stub.requests == []


def test_defaults_of_openstacksdk(proxy, created):
    """Arguments that only say what happens anyway are taken, and not sent."""
    proxy.create_image("x", wait=False, use_import=False, allow_duplicates=True, meta={}, stores=None, uri=None)

    assert created.last.json == {"name": "x"}


@pytest.mark.parametrize("name", ["timeout", "container", "disable_vendor_agent"])
def test_arguments_without_effect(name, proxy, created):
    """An argument that nothing here could obey is warned of, and not sent; a property of that name can be."""
    with pytest.warns(UserWarning, match=f"{name} has no effect .* 'properties'"):
        proxy.create_image("x", **{name: "5"})
    proxy.create_image("x", properties={name: "5"})

    assert [request.json for request in created.requests] == [{"name": "x"}, {"name": "x", name: "5"}]


# --- misspelt names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "guess"),
    [
        (lambda proxy: proxy.create_image("x", min_disc=10), "min_disk"),
        (lambda proxy: proxy.create_image("x", diskformat="raw"), "disk_format"),
        (lambda proxy: proxy.create_image("x", tag=["a"]), "tags"),
        (lambda proxy: proxy.create_image("x", is_public=True), "visibility='public'"),
        (lambda proxy: proxy.update_image(ID, protectd=True), "protected"),
        (lambda proxy: list(proxy.images(statuss="active")), "status"),
    ],
)
def test_misspelt(call, guess, proxy, created):
    """A name close to an argument is sent as a property, with a warning that names the argument and this file."""
    created.on("GET", "/v2/images", Answer.json({"images": []}))
    with pytest.warns(UserWarning, match=f"did you mean '?{guess}") as caught:
        call(proxy)

    assert caught[0].filename == __file__
    assert len(created.requests) == 1


def test_common_properties_are_not_suspected(proxy, created):
    """What Nova, Cinder and ECL call their properties does not look like a misspelt argument."""
    created.on("GET", "/v2/images", Answer.json({"images": []}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proxy.create_image(**dict.fromkeys(PROPERTIES.split(), "x"))
        list(proxy.images(**dict.fromkeys(PROPERTIES.split(), "x")))
        proxy.create_image("x", properties={"min_disc": "5"})

    assert len(created.requests) == 3


# --- update, find, members --------------------------------------------------------------------------------


def test_update_by_keyword(proxy, created):
    """Changes may be keyword arguments, by the names of create_image(); None removes a property."""
    proxy.update_image(Image.existing(id=ID), name="new", os_type="linux", os_distro=None, properties={"data": "x"})

    assert created.last.json == [
        {"op": "replace", "path": "/name", "value": "new"},
        {"op": "add", "path": "/.os.type", "value": "linux"},
        {"op": "remove", "path": "/os_distro"},
        {"op": "add", "path": "/data", "value": "x"},
    ]
    with pytest.raises(exceptions.InvalidRequest, match="not as both: name"):
        proxy.update_image(ID, {"name": "a"}, name="b")
    with pytest.raises(exceptions.InvalidRequest, match="image_data must be a list"):
        proxy.update_image(ID)


def test_hidden_image_is_found(proxy, stub):
    """A hidden image is found by its name if no other has it; hidden=False leaves it out."""
    stub.on(
        "GET",
        "/v2/images",
        lambda request: Answer.json({"images": [WIRE] if "os_hidden" in request.query else []}),
    )

    assert proxy.find_image("debian").id == ID
    assert stub.lines == ["GET /v2/images?limit=2&name=debian", "GET /v2/images?limit=2&name=debian&os_hidden=true"]
    assert proxy.find_image("debian", hidden=False) is None


def test_members(proxy, stub):
    """add_member() and remove_member() are create_member() and delete_member(); the member may know its image."""
    path = f"/v2/images/{ID}/members"
    stub.on("POST", path, Answer.json({"member_id": "p", "image_id": ID, "status": "pending"}))
    stub.on("DELETE", f"{path}/p", Answer(204), Answer(204), Answer(404))

    member = proxy.add_member(ID, member_id="p")
    proxy.remove_member(member)
    proxy.remove_member("p", ID)
    proxy.remove_member("p", ID)

    assert stub.lines == [f"POST {path}", *[f"DELETE {path}/p"] * 3]
    assert stub.requests[0].json == {"member": "p"}
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.remove_member("p", ID, ignore_missing=False)
    with pytest.raises(exceptions.InvalidRequest, match="Which image is 'p' a member of"):
        proxy.remove_member("p")


# --- reading ----------------------------------------------------------------------------------------------


def test_attributes(proxy, stub):
    """An image has openstacksdk's names for its attributes beside its own."""
    stub.on("GET", f"/v2/images/{ID}", Answer.json(WIRE))
    image = proxy.get_image(ID)

    assert (image.is_protected, image.is_hidden, image.owner_id) == (True, True, "p")
    assert (image.hash_algo, image.hash_value, image.status) == ("sha512", "ab", "queued")


def test_mapping(proxy, conn, stub):
    """An image has get(), keys(), values() and items() of a mapping; get() given a session still asks the service."""
    stub.on("GET", f"/v2/images/{ID}", Answer.json(WIRE))
    image = proxy.get_image(ID)

    assert dict(image.items()) == dict(zip(image.keys(), image.values(), strict=True)) == WIRE
    assert image.get("os_distro") == "d"
    assert image.get("os_version") is None
    assert image.get("os_version", "13") == "13"
    assert image.get("hash_value") == "ab"
    assert image.get("checksum", "none") == "none"
    assert stub.lines == [f"GET /v2/images/{ID}"]
    assert image.get(conn.session) is image
    assert len(stub.requests) == 2


@pytest.mark.parametrize(
    ("arguments", "sizes", "got"),
    [
        ({}, [None, "2", "2"], 5),
        ({"limit": 3}, ["3"], 3),
        ({"limit": 3, "page_size": 2}, ["2", "2"], 3),
        ({"page_size": 2}, ["2", "2", "2"], 5),
        ({"limit": 0}, [], 0),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "key"),
    [("tasks", "/v2/tasks", "tasks"), ("metadef_namespaces", "/v2/metadefs/namespaces", "namespaces")],
)
def test_limit_is_a_total(method, path, key, arguments, sizes, got, proxy, stub):
    """*limit* is the most of all, *page_size* the most in one answer, in every list."""

    def page(request):
        size, start = int(request.query.get("limit", ["2"])[0]), int(request.query.get("marker", ["0"])[0])
        items = [{"id": str(n), "namespace": str(n)} for n in range(start + 1, 6)][:size]
        more = start + size < 5
        return Answer.json({key: items, **({"next": f"{path}?limit={size}&marker={start + size}"} if more else {})})

    stub.on("GET", path, page)

    assert len(list(getattr(proxy, method)(**arguments))) == got
    assert [request.query.get("limit", [None])[0] for request in stub.requests] == sizes
    with pytest.raises(exceptions.InvalidRequest, match="limit must be a whole number"):
        getattr(proxy, method)(limit="5")
