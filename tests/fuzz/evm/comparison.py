"""Whether two machines did the same."""

from __future__ import annotations

from typing import Any

from fuzz.evm.machines import Outcome

_HALTED = ("OUT_OF_GAS", "TRAP")


def difference(mine: Outcome, theirs: Outcome, *, strict: bool = False) -> str:
    """Return in words where two outcomes differ first; empty where they do not.

    strict: also in the kind of an exceptional halt. Which of two causes is found first is not for the
    specification to say: it may look at the stack before the gas, or after.
    """
    pairs = zip(mine["transactions"], theirs["transactions"], strict=True)
    for index, (left, right) in enumerate(pairs):
        found = _transaction(left, right, strict)
        if found:
            return f"transaction {index}: {found}"
    return _world(mine["post"], theirs["post"])


def _transaction(left: Outcome, right: Outcome, strict: bool) -> str:
    if left["included"] != right["included"]:
        reasons = left.get("reason", ""), right.get("reason", "")
        return f"included {left['included']} {reasons[0]}, {right['included']} {reasons[1]}"
    if not left["included"]:
        return ""
    same_kind = left["status"] == right["status"] or (
        not strict and left["status"] in _HALTED and right["status"] in _HALTED
    )
    if not same_kind:
        return f"status {left['status']} {left['fault']}, {right['status']} {right['fault']}"
    if left["gas"] != right["gas"]:
        return f"gas {left['gas']}, {right['gas']} ({left['status']} {left['fault']}; {right['fault']})"
    # A receipt does not carry the code of a new contract, and a halt has no output.
    comparable = (
        left["status"] not in _HALTED
        and not left.get("created")
        and not right.get("created")
        and None not in (left["output"], right["output"])
    )
    if comparable and left["output"] != right["output"]:
        return f"output {left['output'][:200]}, {right['output'][:200]}"
    if left["logs"] != right["logs"]:
        return f"logs {left['logs']}, {right['logs']}"
    return ""


def _world(mine: dict[str, Any], theirs: dict[str, Any]) -> str:
    for address in sorted({**mine, **theirs}):
        left, right = mine.get(address), theirs.get(address)
        if left != right:
            if left is None or right is None:
                return f"{address}: {left}, {right}"
            for name in left:
                if left[name] != right[name]:
                    return f"{address} {name}: {str(left[name])[:300]}, {str(right[name])[:300]}"
    return ""
