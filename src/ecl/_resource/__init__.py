"""What :mod:`ecl.resource2` is made of: attributes, and waiting for a status."""
