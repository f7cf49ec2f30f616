"""How a test starts a container of this folder in a process of its own.

A plugin process does not see pytest's import path, so the launcher puts `tests/` on its own: then
`containers.counter:CounterContainer` means the same in both processes.
"""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from vessel.container.plugin import main
main()
"""


def plugin_command(kind: str) -> tuple[str, ...]:
    """Return the command line that serves `module:attribute`, modules of `tests/` included."""
    return (sys.executable, "-c", _PROGRAM, str(TESTS), kind)
