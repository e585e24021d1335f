"""Images between projects, regions and clouds: members, copies, transfers."""

from __future__ import annotations

import json
from collections.abc import Callable

from support.commands import Command

Project = Callable[[str], str]


def listed(ecl: Command, cloud: str, *options: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = ecl("--os-cloud", cloud, "image", "list", "-f", "json", *options).json
    return found


def test_members_come_answer_and_go(ecl: Command, image: str, project_of: Project) -> None:
    """A member is pending, then what it says; its own list shows what it accepted, and offers on request."""
    guest = project_of("guest")

    made = ecl("image", "add-member", image, guest, "-f", "json").json
    offered = listed(ecl, "guest", "--shared-with-me")
    before = listed(ecl, "guest")
    accepted = ecl("--os-cloud", "guest", "image", "update-member", image, "-", "accept", "-f", "json").json
    after = listed(ecl, "guest", "--shared-with-me", "--member-status", "accepted")

    assert (made["image_id"], made["member_id"], made["status"]) == (image, guest, "pending")
    assert [each["member_status"] for each in offered if each["id"] == image] == ["pending"]
    assert image not in [each["id"] for each in before]
    assert accepted["status"] == "accepted"
    assert image in [each["id"] for each in after]
    assert ecl("image", "member-list", image, "-f", "value").out == f"{image} {guest} accepted\n"

    ecl("image", "remove-member", image, guest)
    assert ecl("image", "member-list", image, "-f", "json").json == []


def test_owner_cannot_answer_for_a_member(ecl: Command, image: str, project_of: Project) -> None:
    """The cloud's no is told."""
    ecl("image", "add-member", image, project_of("guest"))

    assert "HTTP 403" in ecl("image", "update-member", image, project_of("guest"), "accepted", code=1).err


def test_set_accepts_as_openstack_does(ecl: Command, image: str, project_of: Project) -> None:
    """`image set --accept` answers for one's own project, and --reject and --pending do."""
    guest = project_of("guest")
    ecl("image", "add", "project", image, guest)

    for option, status in (("--accept", "accepted"), ("--reject", "rejected"), ("--pending", "pending")):
        ecl("--os-cloud", "guest", "image", "set", image, option)
        assert ecl("image", "member", "list", image, "-f", "value", "-c", "status").out == f"{status}\n"


def test_share_accepts_with_the_other_credentials(ecl: Command, image: str, project_of: Project) -> None:
    """One command shares and accepts; done again, it changes nothing."""
    shared = ecl("image", "share", image, "--accept-as", "guest", "-f", "json").json
    again = ecl("image", "share", image, project_of("guest"), "--accept-as", "guest", "-f", "json")

    assert (shared["member_id"], shared["status"]) == (project_of("guest"), "accepted")
    assert again.json["status"] == "accepted"
    assert "already" in again.err
    assert image in [each["id"] for each in listed(ecl, "guest")]


def test_share_dry_run(ecl: Command, image: str, project_of: Project) -> None:
    """With --dry-run what would be done is said, and nothing is."""
    planned = ecl("image", "share", image, "--accept-as", "guest", "--dry-run", "-f", "json").json

    assert [(each["action"], each["id"], each["why"]) for each in planned] == [
        ("share", image, f"with project {project_of('guest')}"), ("accept", image, "as cloud guest"),
    ]  # fmt: skip
    assert ecl("image", "member-list", image, "-f", "json").json == []


def test_share_with_another_project_than_that_of_the_cloud(ecl: Command, image: str, project_of: Project) -> None:
    """A project that the other cloud is not logged in to is refused before anything is done."""
    ended = ecl("image", "share", image, "f" * 32, "--accept-as", "guest", code=2)

    assert project_of("guest") in ended.err
    assert ecl("image", "member-list", image, "-f", "json").json == []


def test_copy_to_another_region_and_wait(ecl: Command, image: str, project_of: Project) -> None:
    """The job ends as replicated, with progress on stderr; lists and shows have it."""
    ended = ecl("image", "copy", image, project_of("there"), "--wait", "--progress", "json", "-f", "json")
    job = ended.json
    shown = ecl("image", "copy-job-show", job["job_id"], "-f", "json").json
    jobs = ecl("image", "copy-job-list", "--long", "-f", "json").json
    copied = ecl("--os-cloud", "there", "image", "show", job["destination_image_id"], "-f", "json").json
    here = ecl("image", "show", image, "-f", "json").json

    assert (job["status"], job["copy_progress"]) == ("replicated", 100)
    last = json.loads(ended.err.splitlines()[-1])
    assert (last["action"], last["done"], last["total"], last["unit"]) == ("copy", 100, 100, "percent")
    assert shown == job
    assert job in jobs
    assert copied["os_hash_value"] == here["os_hash_value"]


def test_finished_copy_cannot_be_canceled(ecl: Command, image: str, project_of: Project) -> None:
    """The cloud's 409 is told, under both names of the command."""
    job = ecl("image", "copy", image, project_of("there"), "--wait", "-f", "value", "-c", "job_id").out.strip()

    for command in ("cancel-copy", "copy-job-cancel"):
        assert "HTTP 409" in ecl("image", command, job, code=1).err


def test_transfer_takes_data_metadata_and_tags(ecl: Command, image: str, name: str) -> None:
    """The copy in the other cloud has all of it; a second call finds it there."""
    ecl("image", "update", image, "--tag", "t", "--property", "k=v", "--min-disk", "3")
    here = ecl("image", "show", image, "-f", "json").json

    dry = ecl("image", "transfer", image, "there", "--dry-run", "-f", "json").json
    sent = ecl("image", "transfer", image, "there", "--property", "k2=v2", "-f", "json").json
    again = ecl("image", "transfer", image, "there", "-f", "json")

    assert dry == [{"action": "transfer", "name": name, "id": image, "why": "to there, 97.7 KiB"}]
    assert ecl("image", "transfer", image, "there", "--dry-run", "-f", "value", "-c", "action").out == "keep\n"
    assert {key: sent[key] for key in ("name", "os_hash_value", "tags", "min_disk", "disk_format")} == {
        key: here[key] for key in ("name", "os_hash_value", "tags", "min_disk", "disk_format")
    }
    assert sent["properties"] == {"k": "v", "k2": "v2"}
    assert again.json["id"] == sent["id"]
    assert "the same already" in again.err


def test_transfer_of_no_data_is_refused(ecl: Command, name: str) -> None:
    """A queued image has nothing to send, and nothing is made in the other cloud."""
    ecl("image", "create", name)

    assert "is queued" in ecl("image", "transfer", name, "there", code=1).err
    assert listed(ecl, "there", "--name", name) == []
