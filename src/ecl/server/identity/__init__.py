"""Authentication: what the rest of the service knows of a caller. `local` is the embedded Keystone v3 subset."""
