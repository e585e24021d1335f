"""Ansible's collection openstack.cloud, unmodified: a playbook describes an image, and the embedded service has it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from clouds import EmbeddedCloud
from stock import DISK, run_tool

PLAYBOOK = Path(__file__).parent / "drivers" / "use_ansible.yml"


def play(cloud: EmbeddedCloud, folder: Path, disk: Path, **changes: str) -> tuple[int, dict[str, Any]]:
    """Run the playbook; return how many of its tasks changed something, and what its modules returned."""
    facts = folder / "facts.json"
    wanted = {"disk": str(disk), "facts": str(facts), "state": "present", "visibility": "private", **changes}
    command = ("ansible-playbook", "--inventory", "localhost,", "--extra-vars", json.dumps(wanted), str(PLAYBOOK))
    said = run_tool(cloud, "ansible", *command, folder=folder)
    recap = re.search(r"ok=4 +changed=(\d+) .*failed=0 ", said)
    assert recap is not None, said
    return int(recap[1]), json.loads(facts.read_text())


def test_ansible(embedded: EmbeddedCloud, disk: Path, tmp_path: Path) -> None:
    """The first run makes the image, the second finds it as it should be, and "absent" deletes it."""
    changed, returned = play(embedded, tmp_path, disk)
    image_id = returned["image"]["image"]["id"]
    held = embedded.held(f"images/{image_id}")
    assert changed == 1
    assert (held["status"], held["size"], held["min_ram"]) == ("active", len(DISK), 64)
    assert (held["visibility"], held["tags"]) == ("private", ["ansible"])
    assert [image["id"] for image in returned["seen"]["images"]] == [image_id]
    assert returned["token"]

    changed, returned = play(embedded, tmp_path, disk)
    assert (changed, returned["image"]["image"]["id"]) == (0, image_id)
    assert embedded.held(f"images/{image_id}") == held

    changed, returned = play(embedded, tmp_path, disk, state="absent")
    assert (changed, returned["seen"]["images"]) == (1, [])
