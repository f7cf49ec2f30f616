"""What an examination found: one line of `vessel doctor`'s table."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vessel.cli.exit_codes import ExitCode, exit_code_of
from vessel.errors import VesselError


class Verdict(enum.StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. mend: what to do; empty where nothing is to be done.

    code: with what `vessel run` would end over it.
    """

    what: str
    verdict: Verdict
    message: str
    mend: str = ""
    code: ExitCode = ExitCode.OK
    reason: str = ""


def ok(what: str, message: str) -> Finding:
    """Return that something is well."""
    return Finding(what=what, verdict=Verdict.OK, message=message)


def warn(what: str, message: str, mend: str) -> Finding:
    """Return that something works, and could be better."""
    return Finding(what=what, verdict=Verdict.WARN, message=message, mend=mend)


def fail(what: str, error: VesselError, *, mend: str = "") -> Finding:
    """Return that a node would not run for this; most errors carry their mend in the message."""
    return Finding(
        what=what,
        verdict=Verdict.FAIL,
        message=error.message,
        mend=mend,
        code=exit_code_of(error),
        reason=error.reason,
    )
