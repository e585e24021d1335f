"""Where our reading of a configuration differs from openstacksdk's, on purpose."""

from __future__ import annotations

__all__ = ["KNOWN"]

#: Cases, each with its line of the table in docs/compatibility.md.
KNOWN = {
    "no domain": "config-default-domain",
    "no domain of the project": "config-default-domain",
    "default_domain_id and a domain of the user's own": "config-default-domain",
    "application credential with a project": "config-application-credential",
    "variables with an application credential and a project": "config-application-credential",
    "unknown option in auth": "config-unknown-options",
    "cacert in auth": "config-unknown-options",
    "variables with a token and a username": "config-unknown-options",
    "auth_plugin": "config-auth-plugin",
    "variables with OS_AUTH_PLUGIN and a token": "config-auth-plugin",
    "admin_token at an address without a version": "config-address",
    "another region as an argument than the file's one": "config-one-region",
    "OS_CLOUD and OS_REGION_NAME": "config-region-variable",
    "OS_IDENTITY_API_VERSION alone beside the only cloud": "config-only-cloud",
    "a file that is no YAML": "config-broken-file",
    "OS_CLIENT_CONFIG_FILE is not there": "config-broken-file",
    "two XDG_CONFIG_DIRS": "config-folders",
    "profile by OS_PROFILE": "config-profile-variable",
    "image_api_version 1": "config-image-version",
    "verify is the word False": "config-words",
    "verify is the word true": "config-words",
    "insecure is the word yes": "config-words",
    "OS_INSECURE 1": "config-words",
    "verify is a path at home": "config-verify-home",
    "OS_IMAGE_URL": "config-image-url",
    "OS_CACERT and a cloud without one": "config-cacert-variable",
    "project_name as an argument and project_id in the file": "config-arguments",
    "project_name as an argument and project_id beside auth": "config-arguments",
    "project_domain_name as an argument and its ID in the file": "config-arguments",
    "username as an argument and user_id in the file": "config-arguments",
    "password as an argument": "config-arguments",
    "api_timeout as an argument and image_timeout in the file": "config-arguments",
}
