"""Share an image with another tenant, and accept it there.

python examples/share_with_a_tenant.py NAME_OR_ID OWNERS_CLOUD TENANTS_CLOUD
"""

from __future__ import annotations

import sys

import ecl


def main(name: str, owners_cloud: str, tenants_cloud: str) -> None:
    owner, tenant = ecl.connect(owners_cloud), ecl.connect(tenants_cloud)
    image = owner.image.find_image(name, ignore_missing=False)
    project = tenant.session.get_project_id()
    owner.image.create_member(image, member=project)
    member = tenant.image.update_member(image, project, "accepted")
    print(f"{image.name} is {member.status} by {member.member_id}")


if __name__ == "__main__":
    main(*sys.argv[1:])
