"""An external Keystone: it has the users, projects and tokens."""
