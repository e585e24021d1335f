"""What the drivers share: they note what they call of a client, wait, and leave out what differs from run to run."""

import time

#: Of the service's answers, what depends on the time or on who asks.
_UNSTEADY = frozenset({"created_at", "updated_at", "owner", "self", "schema"})


class Watched:
    """A client, or a part of one, that notes which of its methods are called."""

    def __init__(self, thing, called, prefix=""):
        self._thing = thing
        self._called = called
        self._prefix = prefix

    def __getattr__(self, name):
        value = getattr(self._thing, name)
        if not callable(value):
            return Watched(value, self._called, f"{self._prefix}{name}.")

        def call(*args, **kwargs):
            self._called.add(self._prefix + name)
            return value(*args, **kwargs)

        return call


def public_methods(kind):
    """Return the names of what a class itself offers."""
    return {name for name, value in vars(kind).items() if callable(value) and not name.startswith("_")}


def until(look):
    """Look again and again until what there is to see is not None, and return that."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        seen = look()
        if seen is not None:
            return seen
        time.sleep(0.1)
    raise TimeoutError("nothing was to be seen for a minute")


def steady(value):
    """Return a JSON value without what differs from run to run."""
    if isinstance(value, dict):
        return {name: steady(item) for name, item in value.items() if name not in _UNSTEADY}
    return [steady(item) for item in value] if isinstance(value, list) else value
