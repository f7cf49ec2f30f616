"""The edge of the process: where every error becomes one message and an exit status.

With --json the message is the command's one JSON document, on standard output, so that a program
reads one stream: {"error": {"code", "reason", "message", "details"}}. Without, it is a line on
standard error. --debug, or VESSEL_DEBUG=1, shows the traceback as well.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from vessel.cli.exit_codes import ExitCode, exit_code_of
from vessel.cli.output import emit_json
from vessel.errors import ExecutionError, VesselError


class EdgeGroup(TyperGroup):
    """The `vessel` command: hands errors of its subcommands to the edge."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line and leave the process with its exit status."""
        words = list(sys.argv[1:] if args is None else args)
        as_json = "--json" in words
        debug = "--debug" in words or bool(os.environ.get("VESSEL_DEBUG"))
        try:
            code = super().main(
                words,
                prog_name or "vessel",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except TyperException as error:
            code = _usage(error, as_json)
        except typer.Abort:
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:
            _silence_stdout()  # the reader of a pipe has seen enough
            code = ExitCode.OK
        except Exception as error:  # noqa: BLE001 -- the edge of the process
            if debug:
                traceback.print_exception(error, file=sys.stderr)
            report(error, as_json=as_json, debug=debug)
            code = exit_code_of(error)
        sys.exit(int(code or 0))


def report(error: Exception, *, as_json: bool, debug: bool = False) -> None:
    """Show an error to whoever reads: a person or a program."""
    if as_json:
        emit_json(error_document(error))
        return
    message = message_of(error)
    if exit_code_of(error) is ExitCode.INTERNAL and not debug:
        message += " (run it again with --debug for the traceback)"
    typer.echo(f"error: {message}", err=True)


def error_document(error: Exception) -> dict[str, object]:
    """Return the JSON form of an error: code, reason, message, details."""
    if isinstance(error, VesselError):
        code, reason, details = error.code, error.reason, dict(error.details)
    elif isinstance(error, ExecutionError):
        code = reason = _execution_code(error)
        details = {"output": "0x" + error.output.hex()}
        if error.gas_used:
            details["gas_used"] = str(error.gas_used)
    else:
        code = reason = VesselError.code
        details = {"kind": type(error).__name__}
    return {"error": {"code": code, "reason": reason, "message": message_of(error), "details": details}}


def message_of(error: Exception) -> str:
    """Return what to tell a person; never empty."""
    if isinstance(error, VesselError | ExecutionError):
        return error.message or type(error).__name__
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _execution_code(error: ExecutionError) -> str:
    name = type(error).__name__
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).lstrip("_").upper()


def _usage(error: TyperException, as_json: bool) -> ExitCode:
    code = ExitCode.USAGE if error.exit_code == ExitCode.USAGE else ExitCode.INTERNAL
    message = error.format_message()
    if as_json:
        emit_json({"error": {"code": "USAGE", "reason": "USAGE", "message": message, "details": {}}})
        return code
    context = getattr(error, "ctx", None)
    if context is not None:
        typer.echo(context.get_usage(), err=True)
        typer.echo(f"Try '{context.command_path} --help' for help.", err=True)
    if message:
        typer.echo(f"error: {message}", err=True)
    return code


def _silence_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
