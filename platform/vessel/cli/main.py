"""The command `vessel`.

Commands live beside this file and are imported by it; what is heavy (the node, eth-account, stores)
they import when they run, so that `vessel --help` answers at once.
"""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Annotated

import typer

from vessel.cli import chain, contracts, demo, doctor, options, prove, run, search, transfer
from vessel.cli.edge import EdgeGroup
from vessel.cli.exit_codes import epilog
from vessel.cli.output import fields, show

app = typer.Typer(
    name="vessel",
    cls=EdgeGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=epilog(),
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vessel {importlib.metadata.version('vesselchain')}")
        raise typer.Exit


@app.callback()
def vessel(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: options.DebugOption = False,
) -> None:
    """Run a blockchain of your own, deploy contracts to it and ask it things.

    Begin with `vessel dev`; then, in another terminal, `vessel deploy ARTIFACT`.
    """


def version(as_json: options.JsonOption = False, debug: options.DebugOption = False) -> None:
    """Show the versions of vessel and Python."""
    own = importlib.metadata.version("vesselchain")
    document = {"vessel": own, "python": platform.python_version()}
    show(as_json, document, fields(document.items()))


app.command()(run.run)
app.command()(run.dev)
app.command(context_settings=contracts.ARGUMENTS_SETTINGS)(contracts.deploy)
app.command(context_settings=contracts.ARGUMENTS_SETTINGS)(contracts.call)
app.command(context_settings=contracts.ARGUMENTS_SETTINGS)(contracts.send)
app.command()(chain.tx)
app.command()(chain.block)
app.command()(search.logs)
app.command()(search.receipts)
app.command()(search.watch)
app.command()(prove.prove)
app.command()(chain.balance)
app.command()(chain.accounts)
app.command()(chain.containers)
app.command()(chain.info)
app.command()(chain.mine)
app.command("export")(transfer.export_blocks)
app.command("import")(transfer.import_blocks)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(version)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="vessel")


if __name__ == "__main__":
    main()
