"""Metadata definitions from a folder: at start, and by command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecl.cli.main import cli
from ecl.server.db.engine import Database
from ecl.server.db.metadefs_load import MetadefsError, load_metadefs
from ecl.testing import ImageService, ServiceFailed

EXAMPLES = Path(__file__).parents[3] / "examples" / "metadefs"
#: The files that come with a Glance.
USUAL = Path(__file__).parents[3] / ".venvs" / "glance" / "etc" / "glance" / "metadefs"
NAMES = ["Ecl::Example::Boot", "Ecl::Example::Origin", "Ecl::Example::Software"]


def test_definitions_are_there_from_the_start(tmp_path: Path) -> None:
    """A service that has a folder of definitions shows them in each region, and keeps what was changed since."""
    with ImageService(metadefs_dir=str(EXAMPLES), data_dir=tmp_path / "data") as service:
        for region in service.regions:
            proxy = service.connect(region).image
            assert sorted(each.namespace for each in proxy.metadef_namespaces()) == NAMES
        admin = service.connect(user="admin").image
        admin.update_metadef_namespace(NAMES[0], display_name="changed")
        admin.delete_metadef_namespace(NAMES[1])
        service.stop()
        service.start()
        proxy = service.connect().image
        assert proxy.get_metadef_namespace(NAMES[0]).display_name == "changed"
        assert proxy.get_metadef_object("Build", NAMES[1]).required == ["build_number"]


def test_the_usual_definitions(tmp_path: Path) -> None:
    """Everything that OpenStack defines for its own services can be loaded, and read by the SDK as it was written."""
    files = sorted(USUAL.glob("*.json"))
    if not files:
        pytest.skip("no Glance in .venvs (scripts/test-inputs)")
    with ImageService(["jp1"], metadefs_dir=str(USUAL), data_dir=tmp_path / "data") as service:
        # As in Glance, what is not said to be public is for administrators.
        proxy = service.connect(user="admin").image
        for file in files:
            written = json.loads(file.read_text())
            found = dict(proxy.get_metadef_namespace(written["namespace"]))
            for key in ("display_name", "description", "properties"):
                assert found.get(key) == written.get(key), (file.name, key)
            names = [{each["name"] for each in document.get("objects", [])} for document in (found, written)]
            assert names[0] == names[1], file.name


def test_a_bad_folder_stops_the_start(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(ServiceFailed, match="nowhere"), ImageService(metadefs_dir=str(tmp_path / "nowhere")):
        pass


def test_load_command(tmp_path: Path) -> None:
    """The command adds what is new, and replaces what is there only when told to."""
    folder = tmp_path / "definitions"
    shutil.copytree(EXAMPLES, folder)
    with ImageService(["jp1", "jp2"], data_dir=tmp_path / "data", database_url=None) as service:

        def load(*options: str) -> str:
            arguments = ["metadefs", "load", str(folder), "--data-dir", str(service.data_dir), *options]
            result = CliRunner().invoke(cli, ["serve", *arguments], standalone_mode=False)
            if result.exception is not None:
                raise result.exception
            return result.output

        assert load("--region", "jp1") == "Region jp1: 3 added, 0 replaced, 0 kept.\n"
        assert load() == "Region jp1: 0 added, 0 replaced, 3 kept.\nRegion jp2: 3 added, 0 replaced, 0 kept.\n"
        document = json.loads((folder / "boot.json").read_text())
        (folder / "boot.json").write_text(json.dumps({**document, "display_name": "new"}))
        assert load("--region", "jp1", "--replace") == "Region jp1: 0 added, 3 replaced, 0 kept.\n"
        assert service.connect("jp1").image.get_metadef_namespace(NAMES[0]).display_name == "new"
        assert service.connect("jp2").image.get_metadef_namespace(NAMES[0]).display_name != "new"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "JSON object"),
        (b'{"namespace": 5}', "namespace"),
        (b'{"namespace": "n", "properties": {"p": {}}}', "properties"),
        (b'{"namespace": "n", "objects": [{}]}', "objects must have a name"),
        (b'{"namespace": "Ecl::Example::Origin"}', "same namespace"),
        (b" " * (5 << 20), "larger than"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, why: str) -> None:
    """One bad file is named, and nothing of the folder is stored."""
    folder = tmp_path / "definitions"
    shutil.copytree(EXAMPLES, folder)
    (folder / "zzz.json").write_bytes(content)
    database = Database(f"sqlite:///{tmp_path}/ecl.db")
    database.prepare()
    with pytest.raises(MetadefsError, match=why) as raised:
        load_metadefs(database, "jp1", folder)
    assert "zzz.json" in raised.value.message
    (folder / "zzz.json").unlink()
    assert len(load_metadefs(database, "jp1", folder).added) == 3
    database.close()
