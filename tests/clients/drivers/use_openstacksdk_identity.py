"""
Makes a tenant with openstacksdk's identity proxy, as an administrator, and takes it apart again.

Reads a task from standard input, writes facts to standard output, both JSON.
"""

import json
import sys

import openstack
from openstack import exceptions


def connect(login, **auth):
    """Return a connection for a login; *auth* replaces parts of what proves the user."""
    cloud = {**login, "auth": {**login["auth"], **auth}}
    for name in [name for name, value in cloud["auth"].items() if value is None]:
        del cloud["auth"][name]
    return openstack.connect(load_yaml_config=False, load_envvars=False, **cloud)


def raised(work, *args, **kwargs):
    """Return the name of the error that a call raises."""
    try:
        work(*args, **kwargs)
    except exceptions.SDKException as exc:
        return type(exc).__name__
    return "nothing"


def facts(login):
    """Yield what happens on the way."""
    admin = connect(login).identity
    project = admin.create_project(name="sdk-project", description="made by openstacksdk")
    user = admin.create_user(name="sdk-user", password="first", email="a@example.org", default_project_id=project.id)
    yield "made", [project.name, project.description, project.is_enabled, user.name, user.email, user.is_enabled]
    yield (
        "found",
        [
            admin.find_project("sdk-project").id == project.id,
            admin.find_user("sdk-user").id == user.id,
            admin.find_user("nobody") is None,
            [found.name for found in admin.users(name="sdk-user")],
            [found.name for found in admin.projects(name="sdk-project")],
            [domain.id for domain in admin.domains(name="Default")],
        ],
    )
    yield (
        "taken",
        [
            raised(admin.create_user, name="sdk-user", password="x"),
            raised(admin.create_project, name="sdk-project"),
        ],
    )
    role = admin.find_role("member")
    admin.assign_project_role_to_user(project, user, role)
    yield (
        "granted",
        [
            admin.validate_user_has_project_role(project, user, role),
            [found.name for found in admin.role_assignments_filter(project=project, user=user)],
            [
                found.role["id"] == role.id
                for found in admin.role_assignments(user_id=user.id, scope_project_id=project.id)
            ],
        ],
    )
    own = {"username": "sdk-user", "project_name": "sdk-project", "project_id": None, "user_id": None}
    mine = connect(login, password="first", **own)
    yield (
        "mine",
        [
            mine.current_project_id == project.id,
            mine.current_user_id == user.id,
            raised(mine.identity.create_project, name="more"),
            [found.name for found in mine.identity.user_projects(user.id)],
        ],
    )
    admin.update_user(user, password="second", description="changed")
    yield (
        "changed",
        [
            raised(connect(login, password="first", **own).authorize),
            connect(login, password="second", **own).current_user_id == user.id,
            admin.get_user(user.id).description,
            admin.update_project(project, description="new").description,
        ],
    )
    admin.unassign_project_role_from_user(project, user, role)
    yield (
        "revoked",
        [
            admin.validate_user_has_project_role(project, user, role),
            raised(connect(login, password="second", **own).authorize),
        ],
    )
    admin.delete_user(user)
    admin.delete_project(project)
    yield (
        "gone",
        [
            admin.find_user("sdk-user") is None,
            admin.find_project("sdk-project") is None,
            raised(admin.delete_user, user, ignore_missing=False),
        ],
    )


def main():
    """Do everything, print the facts."""
    json.dump(dict(facts(json.load(sys.stdin)["logins"]["admin"])), sys.stdout)


main()
