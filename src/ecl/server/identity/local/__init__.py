"""The embedded identity: a subset of Keystone v3 with users, projects, roles and tokens in the service's database."""
