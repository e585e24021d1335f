"""What no command that logs in by keystoneauth1 gets below: a log-in by password from OS_* variables, and one list."""

import os

from keystoneauth1.identity.generic import Password
from keystoneauth1.session import Session

names = ("auth_url", "username", "password", "project_id", "user_domain_id")
session = Session(auth=Password(**{name: os.environ["OS_" + name.upper()] for name in names}))
where = {"service_type": "image", "region_name": os.environ["OS_REGION_NAME"]}
print(len(session.get("/v2/images", endpoint_filter=where).json()["images"]))
