"""What a command shows: one JSON document, or short tables for people.

On a terminal there is colour and the terminal's width; in a pipe there is neither, and nothing wraps.
In JSON, bytes are 0x-hexadecimal, amounts of coin are decimal strings (they outgrow a double), and
heights, gas and counts are numbers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 10_000


def console(*, stderr: bool = False) -> Console:
    """Return a console on the present standard output, or standard error."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def emit_json(document: object) -> None:
    """Write one JSON document: indented for a terminal, one line for a program."""
    indent = 2 if sys.stdout.isatty() else None
    typer.echo(json.dumps(document, indent=indent, ensure_ascii=False))


def fields(pairs: Iterable[tuple[str, object]]) -> Table:
    """Return names and values, one pair a line."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(name), Text(str(value)))
    return table


def rows(headings: Sequence[str], lines: Iterable[Sequence[object]]) -> Table:
    """Return a table with a heading; headings that end in `#` are of numbers, and stand to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(
            heading.rstrip("#"), justify="right" if heading.endswith("#") else "left", overflow="fold"
        )
    for line in lines:
        table.add_row(*(Text(str(value)) for value in line))
    return table


def show(as_json: bool, document: object, *parts: object) -> None:
    """Show `document` with --json, else the parts in their order."""
    if as_json:
        emit_json(document)
        return
    screen = console()
    if screen.is_terminal:
        screen.print(*parts, sep="\n")
        return
    with screen.capture() as captured:  # tables pad their cells; a pipe is spared that
        screen.print(*parts, sep="\n")
    typer.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def hexadecimal(data: bytes) -> str:
    """Return bytes with 0x in front."""
    return "0x" + data.hex()
