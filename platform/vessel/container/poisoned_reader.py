"""A read that failed may not become an outcome, whatever the container makes of the exception."""

from __future__ import annotations

from collections.abc import Sequence

from vessel.database.reader import Range, StateReader


class PoisonedReader:
    """Reads for a container in this process, and remembers the first failure. For one thread."""

    def __init__(self, below: StateReader) -> None:
        """Read by `below`."""
        self._below = below
        self._failure: BaseException | None = None

    @property
    def version(self) -> int:
        """The version that is read."""
        return self._below.version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`."""
        self.check()
        try:
            return self._below.multi_get(keys)
        except BaseException as error:
            self._failure = error
            raise

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Return the entries of a range in the order asked for."""
        self.check()
        try:
            return self._below.range(wanted)
        except BaseException as error:
            self._failure = error
            raise

    def check(self) -> None:
        """Raise the failure again, where there was one."""
        if self._failure is not None:
            raise self._failure
