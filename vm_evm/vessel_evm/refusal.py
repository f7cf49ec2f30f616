"""Why a transaction or a call cannot be: the reason codes of the EVM container and their carrier."""

from __future__ import annotations

from typing import Final

MALFORMED: Final = "MALFORMED"  # the bytes are no transaction
SIZE: Final = "SIZE"  # above 128 KiB
BLOB_TRANSACTIONS_UNSUPPORTED: Final = "BLOB_TRANSACTIONS_UNSUPPORTED"
TYPE_NOT_IN_FORK: Final = "TYPE_NOT_IN_FORK"  # a later fork knows this type of transaction
BAD_BLOBS: Final = "BAD_BLOBS"  # none, too many, of an unknown version, or without a recipient
BLOB_FEE_CAP_TOO_LOW: Final = "BLOB_FEE_CAP_TOO_LOW"  # at execution only
GAS_LIMIT_ABOVE_CAP: Final = "GAS_LIMIT_ABOVE_CAP"  # of any transaction (EIP-7825)
WRONG_CHAIN: Final = "WRONG_CHAIN"
BAD_SIGNATURE: Final = "BAD_SIGNATURE"
NONCE_TOO_LOW: Final = "NONCE_TOO_LOW"
NONCE_TOO_HIGH: Final = "NONCE_TOO_HIGH"  # at execution only: the mempool may hold it
NONCE_MAX: Final = "NONCE_MAX"
INSUFFICIENT_FUNDS: Final = "INSUFFICIENT_FUNDS"
INTRINSIC_GAS_TOO_LOW: Final = "INTRINSIC_GAS_TOO_LOW"
GAS_LIMIT_ABOVE_BLOCK: Final = "GAS_LIMIT_ABOVE_BLOCK"
FEE_CAP_BELOW_BASE_FEE: Final = "FEE_CAP_BELOW_BASE_FEE"  # the fee may fall
TIP_ABOVE_FEE_CAP: Final = "TIP_ABOVE_FEE_CAP"
SENDER_NOT_EOA: Final = "SENDER_NOT_EOA"
INIT_CODE_TOO_LARGE: Final = "INIT_CODE_TOO_LARGE"
BLOCK_FULL: Final = "BLOCK_FULL"  # fits is false: it may go into the next block
BAD_OPTIONS: Final = "BAD_OPTIONS"  # of a call
UNKNOWN_METHOD: Final = "UNKNOWN_METHOD"  # of a query
BAD_PARAMETERS: Final = "BAD_PARAMETERS"  # of a query
REVERTED: Final = "REVERTED"
OUT_OF_GAS: Final = "OUT_OF_GAS"
TRAP: Final = "TRAP"


class Refusal(Exception):
    """A deterministic no. It never leaves the container: it becomes a check, a result or a view.

    reason: one of the codes above. The message says what was wrong, what was expected, what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        """Keep the code for programs apart from the message for people."""
        super().__init__(message)
        self.reason = reason
        self.message = message


# What a later block may think otherwise of, without the sender doing anything.
MAY_PASS: Final = frozenset({FEE_CAP_BELOW_BASE_FEE, BLOB_FEE_CAP_TOO_LOW})
