"""Which kinds of container are installed: the entry-point group `vessel.containers`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint, entry_points

from vessel.container.interface import Container
from vessel.errors import UnknownContainer

GROUP = "vessel.containers"


def installed_kinds() -> dict[str, EntryPoint]:
    """Return the installed kinds of container by name, sorted."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def load_container(kind: str) -> Container:
    """Return a new container of an installed kind.

    `kind` may also be `module:attribute`, which needs no installation. UnknownContainer says which
    kinds there are.
    """
    if ":" in kind:
        if (here := os.getcwd()) not in sys.path:
            sys.path.insert(0, here)  # as `python -m` does for a plugin process
        module, _, attribute = kind.partition(":")
        if not module or not attribute:
            raise UnknownContainer(f"{kind!r} cannot be loaded: it is not module:attribute", kind=kind)
        point = EntryPoint(name=kind, value=kind, group=GROUP)
    else:
        kinds = installed_kinds()
        if kind not in kinds:
            raise UnknownContainer(
                f"no container of kind {kind!r} is installed; there are: {', '.join(kinds) or 'none'}. "
                f"Install the package that brings it, or name it as module:attribute.",
                kind=kind,
            )
        point = kinds[kind]
    try:
        factory = point.load()
    except (ImportError, AttributeError) as error:
        raise UnknownContainer(
            f"the container of kind {kind!r} is registered as {point.value} but cannot be loaded: {error}",
            kind=kind,
        ) from error
    if not callable(factory):
        raise UnknownContainer(
            f"the container of kind {kind!r} cannot be loaded: {point.value} is not callable",
            kind=kind,
        )
    container: Container = factory()
    return container
