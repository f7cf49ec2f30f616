"""`vessel doctor`: says what is wrong before, or after, a node does not start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from vessel.cli import options
from vessel.cli.exit_codes import ExitCode
from vessel.cli.finding import Finding, Verdict, fail, ok
from vessel.cli.output import rows, show
from vessel.config import DEFAULT_DATA_DIR, NodeConfig
from vessel.errors import ConfigurationError, VesselError


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="As of `vessel run`.", show_default=False),
    ] = None,
    genesis: Annotated[
        Path | None,
        typer.Option("--genesis", metavar="FILE", help="As of `vessel run`.", show_default=False),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="DIR",
            help=f"As of `vessel run`. Default {DEFAULT_DATA_DIR}.",
            show_default=False,
        ),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="As of `vessel run`.", show_default=False)
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every block, value and record of the state tree.")
    ] = False,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Find and name what is wrong with a store, a configuration, a plugin, this machine.

    Takes what `vessel run` takes, changes nothing, and ends with the status that `vessel run` would.
    """
    findings = list(_findings(config, genesis, data_dir, store, deep=deep))
    table = rows(["", "what", "found"], _lines(findings))
    bad = sum(finding.verdict is Verdict.FAIL for finding in findings)
    doubtful = sum(finding.verdict is Verdict.WARN for finding in findings)
    summary = "all is well" if not bad and not doubtful else f"{bad} to mend, {doubtful} to look at"
    show(as_json, _document(findings), table, "", summary)
    code = next((finding.code for finding in findings if finding.verdict is Verdict.FAIL), ExitCode.OK)
    raise typer.Exit(int(code))


def _findings(
    config: Path | None, genesis: Path | None, data_dir: Path | None, store: str | None, *, deep: bool
) -> Iterator[Finding]:
    from vessel.cli.machine_examination import examine_machine

    yield from examine_machine()
    from vessel.cli.run import run_config

    try:
        chosen = run_config(config=config, genesis=genesis, data_dir=data_dir, store=store)
    except VesselError as error:
        yield fail("configuration", error)
        return
    yield ok("configuration", str(config) if config is not None else "the defaults")
    yield from _of_chain(chosen, deep=deep)


def _of_chain(config: NodeConfig, *, deep: bool) -> Iterator[Finding]:
    """Yield everything that needs a readable configuration and genesis."""
    from vessel.cli.config_examination import examine_exposure, examine_places
    from vessel.cli.plugin_examination import examine_plugins
    from vessel.cli.store_examination import examine_store
    from vessel.processing.genesis import development_genesis, load_genesis

    try:
        genesis = development_genesis() if config.genesis is None else load_genesis(config.genesis)
    except VesselError as error:
        yield fail("genesis", error)
        return
    yield ok("genesis", f"{config.genesis or 'of the development chain'}: {genesis.name}, {genesis.chain_id}")
    yield from examine_exposure(config, genesis)
    unwritable = list(examine_places(config))
    yield from unwritable or examine_store(config, genesis, deep=deep)
    try:
        yield from examine_plugins(config, genesis)
    except OSError as error:  # no socket for plugins to dial
        yield fail("containers", ConfigurationError(f"plugins cannot be started at all: {error}"))


def _lines(findings: Sequence[Finding]) -> Iterator[Sequence[object]]:
    for finding in findings:
        first, *rest = [*finding.message.splitlines(), *([f"→ {finding.mend}"] if finding.mend else [])]
        yield finding.verdict.value, finding.what, first
        for line in rest:
            yield "", "", line


def _document(findings: Sequence[Finding]) -> dict[str, object]:
    return {
        "well": all(finding.verdict is not Verdict.FAIL for finding in findings),
        "findings": [
            {
                "what": finding.what,
                "verdict": finding.verdict.value,
                "message": finding.message,
                "mend": finding.mend,
                "reason": finding.reason,
                "exit_code": int(finding.code),
            }
            for finding in findings
        ],
    }
