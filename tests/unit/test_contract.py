"""The documented API, name by name: what a script written for eclsdk's image service relies on."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from ecl import connection, exceptions, profile, proxy2, resource2, service_filter, session, utils

SERVICE = {
    "region_name": None,
    "service_name": None,
    "interface": "public",
    "version": "v2",
    "service_type": "image",
    "requires_project_id": False,
    "api_version": None,
}

#: Class path: attributes that are None on the class, flags that are true, base_path, resources_key.
RESOURCES: dict[str, tuple[str, str, str, str | None]] = {
    "ecl.image.v2.image.Image": (
        "checksum container_format created_at data direct_url disk_format extra_key extra_value file first id"
        " image_schema image_status images_schema locations min_disk min_ram name os_type owner protected self"
        " service_type size tags updated_at visibility",
        "allow_create allow_delete allow_get allow_list allow_update patch_update",
        "/v2/images",
        "images",
    ),
    "ecl.image.v2.image_copy.ImageCopy": (
        "copy_progress destination_image_id destination_region_id destination_tenant_id job_id source_image_id"
        " source_region_id source_tenant_id status",
        "allow_create",
        "/v2/extension/image_replicator/jobs",
        None,
    ),
    "ecl.image.v2.license.License": ("license_switch_types", "", "/v2/extension/license_switch/types", None),
    "ecl.image.v2.member.Member": (
        "created_at image_id member member_id schema status updated_at",
        "allow_create allow_delete allow_get allow_list allow_update",
        "/v2/images/%(image_id)s/members",
        "members",
    ),
    "ecl.image.v2.schema.Scheme": ("additionalProperties definitions links name properties", "", "/v2/schemas", None),
    "ecl.image.v2.tag.Tag": ("", "", "/v2/images/%(image_id)s/tags/%(tag)s", None),
}

FLAGS = (
    "allow_create",
    "allow_delete",
    "allow_get",
    "allow_head",
    "allow_list",
    "allow_update",
    "patch_update",
    "put_create",
)

#: Callable: its documented parameters. What we take beyond them is keyword-only and optional.
SIGNATURES = {
    "ecl.image.v2._proxy.Proxy": "session",
    "ecl.image.v2._proxy.Proxy.add_tag": "image_id, tag_to_add",
    "ecl.image.v2._proxy.Proxy.cancel_copy_image": "job_id",
    "ecl.image.v2._proxy.Proxy.copy_image": "image_id, tenant_id_dst",
    "ecl.image.v2._proxy.Proxy.create_image": "**attrs",
    "ecl.image.v2._proxy.Proxy.create_member": "image, **attrs",
    "ecl.image.v2._proxy.Proxy.delete_image": "image, ignore_missing=True",
    "ecl.image.v2._proxy.Proxy.delete_member": "image, member, ignore_missing=True",
    "ecl.image.v2._proxy.Proxy.delete_tag": "image_id, tag_to_delete",
    "ecl.image.v2._proxy.Proxy.download_image": "image_id",
    "ecl.image.v2._proxy.Proxy.find_image": "name_or_id, ignore_missing=True",
    "ecl.image.v2._proxy.Proxy.get_image": "image",
    "ecl.image.v2._proxy.Proxy.get_image_copy_job": "job_id",
    "ecl.image.v2._proxy.Proxy.get_image_member_schema": "",
    "ecl.image.v2._proxy.Proxy.get_image_schema": "",
    "ecl.image.v2._proxy.Proxy.get_images_schema": "",
    "ecl.image.v2._proxy.Proxy.get_member": "image, member",
    "ecl.image.v2._proxy.Proxy.get_metadata_namespace_schema": "",
    "ecl.image.v2._proxy.Proxy.get_metadata_object_schema": "",
    "ecl.image.v2._proxy.Proxy.get_metadata_property_schema": "",
    "ecl.image.v2._proxy.Proxy.get_metadata_resource_type_schema": "",
    "ecl.image.v2._proxy.Proxy.images": "**query",
    "ecl.image.v2._proxy.Proxy.licenses": "",
    "ecl.image.v2._proxy.Proxy.list_image_copy_jobs": "",
    "ecl.image.v2._proxy.Proxy.members": "image",
    "ecl.image.v2._proxy.Proxy.remove_tag": "image, tag",
    "ecl.image.v2._proxy.Proxy.update_image": "image_id, image_data",
    # Not in the document, but in eclsdk beside the others.
    "ecl.image.v2._proxy.Proxy.upload_image": "image_id, image_data",
    "ecl.image.v2._proxy.Proxy.update_member": "image_id, member_id, status",
    "ecl.image.v2._proxy.Proxy.wait_for_status": "value, status, failures=(), interval=2, wait=120",
    "ecl.image.v2._proxy.Proxy.wait_for_delete": "value, interval=2, wait=120",
    "ecl.image.v2.image.Image.find": "session, name_or_id, ignore_missing=True, **params",
    "ecl.image.v2.image.Image.get": "session, image_id",
    "ecl.image.v2.image.Image.update": "session, image_id, attrs_list",
    "ecl.image.v2.image.Image.upload": "session, image_id, image_data",
    "ecl.image.v2.image.Image.download": "session, image_id",
    "ecl.image.v2.image_copy.ImageCopy.copy_image": "session, image_id, tenant_id_dst",
    "ecl.image.v2.image_copy.ImageCopy.cancel_copy_image": "session, job_id",
    "ecl.image.v2.image_copy.ImageCopy.list_image_copy_jobs": "session",
    "ecl.image.v2.image_copy.ImageCopy.get_image_copy_job": "session, job_id",
    "ecl.image.v2.license.License.list": "session",
    "ecl.image.v2.member.Member.update": "session, image_id, member_id, status",
    "ecl.image.v2.schema.Scheme.get_image_member_schema": "session",
    "ecl.image.v2.schema.Scheme.get_image_schema": "session",
    "ecl.image.v2.schema.Scheme.get_images_schema": "session",
    "ecl.image.v2.schema.Scheme.get_metadata_namespace_schema": "session",
    "ecl.image.v2.schema.Scheme.get_metadata_object_schema": "session",
    "ecl.image.v2.schema.Scheme.get_metadata_property_schema": "session",
    "ecl.image.v2.schema.Scheme.get_metadata_resource_type_schema": "session",
    "ecl.image.v2.tag.Tag.add_tag": "session, image_id, tag",
    "ecl.image.v2.tag.Tag.delete_tag": "session, image_id, tag",
    "ecl.image.image_service.ImageService": "version='v2'",
    "ecl.proxy2.BaseProxy": "session",
    "ecl.resource2.Resource.new": "**kwargs",
    "ecl.resource2.Resource.existing": "**kwargs",
    "ecl.resource2.Resource.to_dict": "body=True, headers=True, ignore_none=False",
    "ecl.resource2.Resource.create": "session, prepend_key=True",
    "ecl.resource2.Resource.get": "session, requires_id=True",
    "ecl.resource2.Resource.head": "session",
    "ecl.resource2.Resource.update": "session, prepend_key=True, has_body=True",
    "ecl.resource2.Resource.delete": "session",
    "ecl.resource2.Resource.list": "session, paginated=False, **params",
    "ecl.resource2.Resource.find": "session, name_or_id, ignore_missing=False, **params",
    "ecl.resource2.Body": "name, type=None, default=None, alternate_id=False",
    "ecl.resource2.Header": "name, type=None, default=None, alternate_id=False",
    "ecl.resource2.URI": "name, type=None, default=None, alternate_id=False",
    "ecl.resource2.QueryParameters": "*names, **mappings",
    "ecl.resource2.wait_for_status": "session, resource, status, failures, interval, wait",
    "ecl.resource2.wait_for_delete": "session, resource, interval, wait",
    "ecl.service_filter.ValidVersion": "module, path=None",
    "ecl.service_filter.ServiceFilter": (
        "service_type, interface='public', region=None, service_name=None, version=None, api_version=None,"
        " requires_project_id=False"
    ),
    "ecl.service_filter.ServiceFilter.get_path": "version=None",
    "ecl.service_filter.ServiceFilter.get_filter": "",
    "ecl.service_filter.ServiceFilter.get_module": "",
    "ecl.service_filter.ServiceFilter.get_service_module": "",
    "ecl.profile.Profile": "plugins=None",
    "ecl.profile.Profile.get_filter": "service",
    "ecl.profile.Profile.get_services": "",
    "ecl.profile.Profile.set_name": "service, name",
    "ecl.profile.Profile.set_region": "service, region",
    "ecl.profile.Profile.set_version": "service, version",
    "ecl.profile.Profile.set_api_version": "service, api_version",
    "ecl.profile.Profile.set_interface": "service, interface",
    "ecl.session.Session": "profile, user_agent=None, **kwargs",
    "ecl.connection.Connection": (
        "session=None, authenticator=None, profile=None, verify=True, cert=None, user_agent=None,"
        " auth_plugin='password', timeout=None, **auth_args"
    ),
    "ecl.connection.Connection.authorize": "",
    "ecl.connection.from_config": "cloud_name=None, cloud_config=None, options=None",
    "ecl.utils.enable_logging": "debug=False, path=None, stream=None",
    "ecl.exceptions.SDKException": "message=None, cause=None",
    "ecl.exceptions.HttpException": (
        "message=None, details=None, response=None, request_id=None, url=None, method=None, http_status=None,"
        " cause=None"
    ),
    "ecl.exceptions.InvalidResponse": "response",
    "ecl.exceptions.InvalidRequest": "message=None",
    "ecl.exceptions.EndpointNotFound": "message=None",
    "ecl.exceptions.MethodNotSupported": "resource, method",
}

#: Class: its documented base.
BASES = {
    **dict.fromkeys(RESOURCES, "ecl.resource2.Resource"),
    "ecl.image.v2._proxy.Proxy": "ecl.proxy2.BaseProxy",
    "ecl.image.image_service.ImageService": "ecl.service_filter.ServiceFilter",
    "ecl.service_filter.ServiceFilter": "builtins.dict",
    "ecl.session.Session": "keystoneauth1.session.Session",
    "ecl.exceptions.SDKException": "builtins.Exception",
    "ecl.exceptions.HttpException": "ecl.exceptions.SDKException",
    "ecl.exceptions.NotFoundException": "ecl.exceptions.HttpException",
    "ecl.exceptions.ResourceNotFound": "ecl.exceptions.NotFoundException",
    **dict.fromkeys(
        (
            f"ecl.exceptions.{name}"
            for name in (
                "DuplicateResource",
                "EndpointNotFound",
                "InvalidRequest",
                "InvalidResponse",
                "MethodNotSupported",
                "ResourceFailure",
                "ResourceTimeout",
            )
        ),
        "ecl.exceptions.SDKException",
    ),
}


def find(path: str) -> Any:
    """Return what a dotted path names."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise AssertionError(path)


def parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters that a caller gives."""
    found = list(inspect.signature(function).parameters.values())
    return found[1:] if found and found[0].name == "self" else found


@pytest.mark.parametrize("path", RESOURCES)
def test_resource(path: str) -> None:
    """A documented resource has its attributes (None on the class), flags, paths and service."""
    attributes, flags, base_path, resources_key = RESOURCES[path]
    cls = find(path)

    assert {name: getattr(cls, name, "missing") for name in attributes.split()} == dict.fromkeys(attributes.split())
    assert [name for name in FLAGS if getattr(cls, name)] == flags.split()
    assert cls.base_path == base_path
    assert cls.resources_key == resources_key
    assert cls.resource_key is None
    assert cls.service == SERVICE
    assert dict(cls.service) == SERVICE


@pytest.mark.parametrize("path", RESOURCES)
def test_resource_is_made_as_documented(path: str) -> None:
    """A resource takes its documented attributes as keywords, beside *synchronized*, and gives them back."""
    cls = find(path)
    names = [name for name in RESOURCES[path][0].split() if name != "data"]
    made = cls(synchronized=True, **{name: name for name in names})

    assert {name: getattr(made, name) for name in names} == {name: name for name in names}
    assert made._body.dirty == {}
    assert cls(False, **dict.fromkeys(names[:1], "x"))._body.attributes == {
        **({cls._body_mapping()[names[0]]: "x"} if names else {})
    }


@pytest.mark.parametrize("path", SIGNATURES)
def test_signature(path: str) -> None:
    """The documented parameters have their names, order and defaults; all others are optional keywords."""
    documented = list(inspect.signature(eval(f"lambda {SIGNATURES[path]}: 0")).parameters.values())
    ours = parameters(find(path))
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    expected = [(each.name, each.default) for each in documented if each.kind in kinds]
    positional = [each for each in ours if each.kind in kinds]

    for (name, default), parameter in zip(expected, positional, strict=False):
        assert parameter.name == name
        # Where eclsdk insists on an argument, a default of ours does no harm.
        assert default in (parameter.default, inspect.Parameter.empty)
    assert len(positional) >= len(expected)
    assert all(each.default is not inspect.Parameter.empty for each in positional[len(expected) :])
    keyword_only = [each for each in ours if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert all(each.default is not inspect.Parameter.empty for each in keyword_only)
    variadic = {each.kind: each.name for each in documented if each.kind not in kinds}
    assert {each.kind: each.name for each in ours if each.kind in variadic} == variadic


@pytest.mark.parametrize(
    "path", [path for path in SIGNATURES if path.startswith("ecl.image.v2._proxy.Proxy.") and "wait" not in path]
)
def test_proxy_has_no_other_positional_parameters(path: str) -> None:
    """What a proxy method takes beyond the document can be given by keyword only."""
    documented = inspect.signature(eval(f"lambda {SIGNATURES[path]}: 0")).parameters
    ours = parameters(find(path))

    beyond = [each for each in ours if each.name not in documented]
    keywords = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    assert all(each.kind in keywords for each in beyond)


@pytest.mark.parametrize("path", BASES)
def test_base(path: str) -> None:
    """A documented class has its documented base."""
    assert issubclass(find(path), find(BASES[path]))


def test_find_of_image_is_a_class_method() -> None:
    """Image.find is called on the class."""
    image = find("ecl.image.v2.image.Image")

    assert inspect.ismethod(image.find)
    assert image.find.__self__ is image


def test_errors_carry_what_eclsdk_users_read() -> None:
    """Every error has message, details, http_status, request_id, url and method."""
    for name in exceptions.__all__:
        cls = getattr(exceptions, name)
        if not isinstance(cls, type):
            continue
        made = cls(object, "verb") if cls is exceptions.MethodNotSupported else cls("words")
        fields = ("message", "details", "http_status", "request_id", "url", "method")
        assert all(hasattr(made, field) for field in fields), name
        assert isinstance(made, exceptions.SDKException), name


def test_bad_arguments_are_value_errors() -> None:
    """eclsdk raises ValueError for some bad arguments; InvalidRequest is one."""
    assert issubclass(exceptions.InvalidRequest, ValueError)


def test_constants() -> None:
    """Names that scripts use in place of their values."""
    assert profile.Profile.ALL == "*"
    assert service_filter.ServiceFilter.PUBLIC == "public"
    assert service_filter.ServiceFilter.INTERNAL == "internal"
    assert service_filter.ServiceFilter.ADMIN == "admin"
    assert session.DEFAULT_USER_AGENT.startswith("ecl-image/")


def test_base_proxy_helpers() -> None:
    """Proxies that users derive find the helpers that eclsdk's have."""
    for name in ("_get_resource", "_find", "_create", "_get", "_update", "_delete", "_list", "_head"):
        assert callable(getattr(proxy2.BaseProxy, name))
    for name in ("_body_mapping", "_header_mapping", "_uri_mapping", "_alternate_id", "_get_id", "_get_one_match"):
        assert callable(getattr(resource2.Resource, name))


def test_old_imports() -> None:
    """``from ecl import connection, exceptions, profile, utils`` is how eclsdk's scripts begin."""
    import ecl

    assert (ecl.connection, ecl.exceptions, ecl.profile, ecl.utils) == (connection, exceptions, profile, utils)
    assert set(dir(ecl)) >= {"connection", "exceptions", "profile", "utils", "connect", "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'compute'"):
        _ = ecl.compute
