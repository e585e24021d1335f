"""Properties of any name and value, from create_image() to a copy in another region."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ecl.image import transfer
from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService
from support.properties import PYTHON_NAMES, properties_of_any_name


@pytest.fixture(scope="module")
def here(service: ImageService) -> Proxy:
    """The image service of jp1."""
    return service.connect().image


@pytest.fixture(scope="module")
def there(service: ImageService) -> Proxy:
    """The image service of the other region."""
    return service.connect("jp2").image


def _go_round(here: Proxy, there: Proxy, properties: dict[str, str]) -> None:
    made = here.create_image(data=b"disk", disk_format="raw", name="n", properties=properties)
    try:
        assert here.get_image(made).properties == properties

        changed = {name: value[::-1] + "+" for name, value in properties.items()}
        here.update_image(made, changed)
        assert here.get_image(made).properties == changed

        copied = transfer.copy(here, made, there)
        try:
            found = there.get_image(copied)
            assert (found.name, found.properties) == ("n", changed)
            assert there.download_image(copied) == b"disk"
        finally:
            there.delete_image(copied)
    finally:
        here.delete_image(made)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(properties=properties_of_any_name())
def test_any_property_comes_through(here: Proxy, there: Proxy, properties: dict[str, str]) -> None:
    """What is created, changed and copied has the properties that were given, and no others."""
    _go_round(here, there, properties)


def test_every_name_of_python_comes_through(here: Proxy, there: Proxy) -> None:
    """Each parameter of the methods and each attribute of an image can be the name of a property, all at once."""
    assert {"data", "progress", "force", "os_type", "service_type", "first", "image_status", "attrs"} <= set(
        PYTHON_NAMES
    )

    _go_round(here, there, dict.fromkeys(PYTHON_NAMES, "1"))


def test_copy_reads_no_file_that_an_image_names(here: Proxy, there: Proxy, tmp_path: Path) -> None:
    """The copy of an image with a property "data" has the data of the image, not that of the file named there."""
    (tmp_path / "secret").write_bytes(b"secret")
    properties = {"data": str(tmp_path / "secret")}
    made = here.create_image(data=b"disk", disk_format="raw", properties=properties)

    copied = transfer.copy(here, made, there)

    assert there.download_image(copied) == b"disk"
    assert copied.properties == properties
    here.delete_image(made)
    there.delete_image(copied)


def test_changes_take_the_place_of_what_the_source_has(here: Proxy, there: Proxy) -> None:
    """Keywords and properties differ from the source; None leaves out what the source has under either name."""
    properties = {"os_type": "linux", ".service.type": "x", "data": "1", "kept": "k", "gone": "g"}
    made = here.create_image(data=b"disk", disk_format="raw", properties=properties)

    copied = transfer.copy(
        here, made, there, os_type="windows", service_type=None, properties={"data": "2", "gone": None, "first": "f"}
    )

    assert copied.properties == {".os.type": "windows", "data": "2", "kept": "k", "first": "f"}
    here.delete_image(made)
    there.delete_image(copied)
