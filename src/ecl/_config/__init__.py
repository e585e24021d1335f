"""How clouds.yaml and OS_* variables are read; :mod:`ecl.config` is what others call."""
