"""`python -m vessel`: the command `vessel`."""

from __future__ import annotations

from vessel.cli.main import main

if __name__ == "__main__":
    main()
