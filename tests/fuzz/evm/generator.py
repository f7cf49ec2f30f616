"""Scenarios out of a seed: code that mostly makes sense, transactions that mostly are good.

Random bytes die at the first instruction, so code is made of statements that know how high the stack is:
arithmetic on odd numbers, memory, storage, logs, calls among a handful of contracts and precompiled ones,
creations, loops. Some of it is spoiled afterwards, byte by byte.
"""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

from fuzz.evm.scenario import BASE_FEE, CHAIN_ID, COINBASE, Account, Scenario
from fuzz.evm.transactions import Authorization, Fields, key, sign

SENDERS = [key(0x1000 + n) for n in range(3)]
AUTHORITIES = [key(0x2000 + n) for n in range(3)]
CONTRACTS = [bytes((0x10 + n,)) * 20 for n in range(5)]
EMPTY = b"\xee" * 20
PRECOMPILES = [n.to_bytes(20, "big") for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 0x100)]
SLOTS = (0, 1, 2, 0xFF, 2**255)
_VECTORS = Path(__file__).parents[2] / "unit" / "evm_precompiles" / "vectors"

_UNARY = (0x15, 0x19, 0x35, 0x31, 0x3B, 0x3F, 0x40, 0x54, 0x5C, 0x49)
_CLZ = 0x1E
_BINARY = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0B, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18)
_SHIFTS = (0x1A, 0x1B, 0x1C, 0x1D)
_NULLARY = (
    *(0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48),
    *(0x4A, 0x58, 0x59, 0x5A),
)


@cache
def _precompile_inputs() -> dict[int, list[bytes]]:
    """Return inputs of the precompiled contracts that mean something, by address."""
    found: dict[int, list[bytes]] = {}
    for path in sorted(_VECTORS.glob("*.json")):
        for vector in json.loads(path.read_bytes())["vectors"]:
            data = bytes.fromhex(vector["input"][2:])
            # py-evm is wrong about an empty base: vectors/prague-modexp-empty-base.json.
            empty_base = vector["address"] == "0x5" and not any(data[:32])
            if len(data) < 2_000 and not empty_base:
                found.setdefault(int(vector["address"], 16), []).append(data)
    return found


class Coder:
    """Writes the code of one contract."""

    def __init__(self, chance: random.Random, fork: str) -> None:
        self._chance = chance
        self._fork = fork
        self._code = bytearray()
        self._height = 0

    def code(self, statements: int) -> bytes:
        """Return code of so many statements, with an end or without one."""
        kinds = (
            *((self._push,) * 5, (self._compute,) * 10, (self._memory,) * 4, (self._storage,) * 4),
            *((self._transient,) * 1, (self._copy,) * 3, (self._log,) * 1, (self._call,) * 4),
            *((self._create,) * 1, (self._shuffle,) * 3, (self._loop,) * 1, (self._branch,) * 2),
            *((self._hash,) * 1, (self._odd,) * 1, (self._phoenix,) * 1),
        )
        flat = [kind for group in kinds for kind in group]
        for _ in range(statements):
            self._chance.choice(flat)()
            while self._height > 12:
                self._emit(0x50)
                self._height -= 1
        self._end()
        return self._spoiled()

    def _emit(self, *opcodes: int) -> None:
        self._code += bytes(opcodes)

    def _constant(self, value: int | bytes) -> None:
        """Push a number without counting it."""
        data = value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big")
        self._code += bytes((0x5F + len(data),)) + data

    def _number(self) -> int:
        chance = self._chance
        kind = chance.randrange(8)
        if kind < 3:
            return chance.randrange(4)
        if kind == 3:
            return chance.randrange(300)
        if kind == 4:
            return (1 << chance.randrange(257)) - 1 & 2**256 - 1
        if kind == 5:
            return 2**256 - 1 - chance.randrange(4)
        if kind == 6:
            return chance.getrandbits(chance.randrange(1, 257))
        return 1 << chance.randrange(256)

    def _address(self) -> bytes:
        chance = self._chance
        kind = chance.randrange(10)
        if kind < 5:
            return chance.choice(CONTRACTS)
        if kind < 7:
            return chance.choice(PRECOMPILES)
        if kind == 7:
            return chance.choice(AUTHORITIES).address
        return chance.choice((EMPTY, COINBASE, SENDERS[0].address, chance.randbytes(20)))

    def _offset(self) -> int:
        chance = self._chance
        if chance.randrange(150) == 0:
            return chance.choice((2**16, 2**20, 2**32, 2**63, 2**64, 2**256 - 1))
        return chance.randrange(160)

    def _size(self) -> int:
        chance = self._chance
        if chance.randrange(150) == 0:
            return chance.choice((2**12, 2**17, 2**32, 2**64 - 1, 2**256 - 1))
        return chance.choice((0, 0, 1, 4, 31, 32, 32, 33, 64, 96, 128, 160))

    # ---- statements

    def _push(self) -> None:
        kind = self._chance.randrange(10)
        if kind < 7:
            self._constant(self._number())
        elif kind < 9:
            self._constant(self._address())
        else:
            self._emit(self._chance.choice(_NULLARY))
        self._height += 1

    def _compute(self) -> None:
        chance = self._chance
        kind = chance.randrange(12)
        if kind < 2:
            self._emit(chance.choice(_NULLARY))
            self._height += 1
            return
        needed = 1 if kind < 4 else 3 if kind == 4 else 2
        while self._height < needed:
            self._push()
        if kind < 4:
            self._emit(chance.choice((*_UNARY, _CLZ) if self._fork == "osaka" else _UNARY))
            return
        if kind == 4:
            self._emit(chance.choice((0x08, 0x09)))
            self._height -= 2
            return
        if kind == 5:  # a shift by something within reach
            self._constant(chance.randrange(258))
            self._emit(chance.choice(_SHIFTS))
            return
        if kind == 6 and chance.randrange(3) == 0:
            self._emit(0x0A)  # EXP of whatever there is
        else:
            self._emit(chance.choice(_BINARY))
        self._height -= 1

    def _memory(self) -> None:
        kind = self._chance.randrange(4)
        if kind == 0:
            self._constant(self._offset())
            self._emit(0x51)
            self._height += 1
            return
        while self._height < 1:
            self._push()
        self._constant(self._offset())
        self._emit(0x53 if kind == 1 else 0x52)
        self._height -= 1

    def _storage(self) -> None:
        slot = self._chance.choice(SLOTS)
        if self._chance.randrange(3) == 0:
            self._constant(slot)
            self._emit(0x54)
            self._height += 1
            return
        self._constant(self._number() if self._chance.randrange(3) else 0)
        self._constant(slot)
        self._emit(0x55)

    def _transient(self) -> None:
        slot = self._chance.choice(SLOTS)
        self._constant(self._number())
        self._constant(slot)
        self._emit(0x5D)
        self._constant(slot)
        self._emit(0x5C)
        self._height += 1

    def _copy(self) -> None:
        kind = self._chance.choice((0x37, 0x39, 0x3C, 0x3E, 0x5E))
        # RETURNDATACOPY beyond the end is a halt, so mostly nothing is asked of it.
        size = self._size() if kind != 0x3E else self._chance.choice((0,) * 12 + (1, 32))
        self._constant(size)
        self._constant(self._offset() if kind != 0x3E else self._chance.choice((0,) * 20 + (1,)))
        self._constant(self._offset())
        if kind == 0x3C:
            self._constant(self._address())
        self._emit(kind)

    def _hash(self) -> None:
        self._constant(self._size())
        self._constant(self._offset())
        self._emit(0x20)
        self._height += 1

    def _log(self) -> None:
        topics = self._chance.randrange(5)
        for _ in range(topics):
            self._constant(self._number())
        self._constant(self._size())
        self._constant(self._offset())
        self._emit(0xA0 + topics)

    def _call(self) -> None:
        chance = self._chance
        kind = chance.choice((0xF1, 0xF1, 0xF1, 0xF2, 0xF4, 0xFA))
        self._constant(self._size())
        self._constant(self._offset())
        self._constant(self._size())
        self._constant(self._offset())
        if kind in (0xF1, 0xF2):
            self._constant(chance.choice((0, 0, 0, 0, 1, 5, 10**30)))
        self._constant(self._address())
        if chance.randrange(3):
            self._emit(0x5A)
        else:
            self._constant(chance.choice((0, 100, 2_300, 5_000, 30_000, 100_000, 2**64, 2**256 - 1)))
        self._emit(kind)
        self._height += 1

    def _create(self) -> None:
        chance = self._chance
        runtime = (
            Coder(chance, self._fork).code(3) if chance.randrange(2) else bytes((chance.randrange(256),))
        )
        runtime = runtime[:24]
        # Leave the runtime behind, or run it as init code itself.
        head = b"\x60" + bytes((len(runtime),)) + b"\x80\x60\x09\x3d\x39\x3d\xf3"
        init_code = head + runtime if chance.randrange(3) else runtime
        init_code = init_code[:32] or b"\0"
        self._constant(init_code.rjust(32, b"\0"))
        self._emit(0x5F, 0x52)
        kind = chance.choice((0xF0, 0xF5))
        if kind == 0xF5:
            self._constant(chance.randrange(2))
        self._constant(len(init_code) if chance.randrange(20) else chance.choice((0, 49_152, 49_153)))
        self._constant(32 - len(init_code))
        self._constant(chance.choice((0, 0, 0, 1, 10**30)))
        self._emit(kind)
        self._height += 1
        if chance.randrange(2):  # call what was made
            self._emit(0x5F, 0x5F, 0x5F, 0x5F, 0x5F, 0x85, 0x5A, 0xF1, 0x50)

    def _phoenix(self) -> None:
        """Create a contract at an address that is always the same for this creator, write to it, destroy it.

        It adds one to its slot 0 where it has input, and destroys itself where it has none.
        """
        runtime = bytes.fromhex("3660065733ff5b60015f54015f55")
        init_code = b"\x60" + bytes((len(runtime),)) + b"\x80\x60\x09\x3d\x39\x3d\xf3" + runtime
        self._constant(init_code.rjust(32, b"\0"))
        self._emit(0x5F, 0x52, 0x5F)  # the salt is zero
        self._constant(len(init_code))
        self._constant(32 - len(init_code))
        self._emit(0x5F, 0xF5)
        self._height += 1
        for _ in range(self._chance.randrange(4)):
            self._emit(0x5F, 0x5F)
            self._constant(self._chance.choice((0, 1, 1)))
            self._emit(0x5F, 0x5F, 0x85, 0x5A, 0xF1, 0x50)

    def _shuffle(self) -> None:
        if not self._height:
            self._push()
        kind = self._chance.randrange(3)
        if kind == 0:
            self._emit(0x80 + self._chance.randrange(min(self._height, 16)))
            self._height += 1
        elif kind == 1 and self._height > 1:
            self._emit(0x90 + self._chance.randrange(min(self._height - 1, 16)))
        else:
            self._emit(0x50)
            self._height -= 1

    def _loop(self) -> None:
        """Count down from a few, with a statement inside that leaves the stack as it is."""
        self._constant(self._chance.randrange(1, 6))
        start = len(self._code)
        self._emit(0x5B)
        self._storage_step()
        # counter - 1, again while it is not zero
        self._constant(1)
        self._emit(0x90, 0x03, 0x80)
        self._constant(start.to_bytes(2, "big"))
        self._emit(0x57, 0x50)

    def _storage_step(self) -> None:
        slot = self._chance.choice(SLOTS)
        self._constant(slot)
        self._emit(0x54, 0x81, 0x01)  # SLOAD, DUP2, ADD
        self._constant(slot)
        self._emit(0x55)

    def _branch(self) -> None:
        """Skip a few instructions, or not, as the stack says."""
        while self._height < 1:
            self._push()
        at = len(self._code) + 1
        self._constant(b"\0\0")
        self._emit(0x57)
        self._height -= 1
        height = self._height
        for _ in range(self._chance.randrange(3)):
            self._push()
            self._emit(0x50)
            self._height = height
        self._code[at : at + 2] = len(self._code).to_bytes(2, "big")
        self._emit(0x5B)

    def _odd(self) -> None:
        """Now and then what rarely is: the end of the account, a bad jump, an unknown instruction."""
        kind = self._chance.randrange(30)
        if kind < 4:
            self._constant(self._address())
            self._emit(0xFF)
        elif kind == 4:
            self._constant(self._number())
            self._emit(0x56)
        elif kind == 5:
            self._emit(self._chance.randrange(256))
        elif kind == 6:
            self._emit(0xFE)
        else:
            self._emit(0x5B)

    def _end(self) -> None:
        kind = self._chance.randrange(8)
        if kind < 4:
            self._constant(self._size())
            self._constant(self._offset())
            self._emit(0xF3)
        elif kind < 6:
            self._constant(self._size())
            self._constant(self._offset())
            self._emit(0xFD)
        elif kind == 6:
            self._constant(self._address())
            self._emit(0xFF)

    def _spoiled(self) -> bytes:
        code = self._code
        if code and self._chance.randrange(6) == 0:
            for _ in range(self._chance.randrange(1, 4)):
                code[self._chance.randrange(len(code))] = self._chance.randrange(256)
        return bytes(code)


def scenario(seed: int, fork: str) -> Scenario:
    """Return the scenario of a seed."""
    chance = random.Random(f"vessel/{fork}/{seed}")
    pre: dict[bytes, Account] = {sender.address: Account(balance=10**24) for sender in SENDERS}
    for contract in CONTRACTS:
        pre[contract] = Account(
            nonce=1,
            balance=chance.choice((0, 1, 10**6)),
            code=Coder(chance, fork).code(chance.randrange(4, 40)),
            storage={slot: chance.randrange(1, 5) for slot in SLOTS if chance.randrange(2)},
        )
    for authority in AUTHORITIES:
        kind = chance.randrange(3)
        if kind == 1:
            pre[authority.address] = Account(balance=10**20)
        elif kind == 2 and fork in ("prague", "osaka"):
            code = b"\xef\x01\x00" + chance.choice((*CONTRACTS, *PRECOMPILES[:4], AUTHORITIES[0].address))
            pre[authority.address] = Account(balance=10**20, nonce=1, code=code)
    nonces = {account.address: pre[account.address].nonce for account in SENDERS}
    height = chance.choice((1, 5, 300))
    blocks = [
        [_transaction(chance, fork, nonces, pre) for _ in range(chance.randrange(1, 5))] for _ in range(2)
    ]
    return Scenario(name=f"seed {seed}", fork=fork, height=height, pre=pre, blocks=blocks)


def _transaction(
    chance: random.Random, fork: str, nonces: dict[bytes, int], pre: dict[bytes, Account]
) -> bytes:
    signer = chance.choice(SENDERS)
    kinds = (0, 1, 2, 2, 4) if fork in ("prague", "osaka") else (0, 1, 2)
    kind = chance.choice(kinds)
    to = chance.choice((*CONTRACTS, *CONTRACTS, *CONTRACTS, EMPTY, chance.choice(PRECOMPILES)))
    if chance.randrange(6) == 0:
        to = chance.choice(AUTHORITIES).address
    data = chance.randbytes(chance.choice((0, 0, 4, 32, 68, 200)))
    if chance.randrange(10) == 0 and kind != 4:
        to, data = b"", Coder(chance, fork).code(chance.randrange(2, 12))
    elif to in PRECOMPILES:
        inputs = _precompile_inputs().get(int.from_bytes(to, "big"), [])
        data = chance.randbytes(chance.choice((32, 96, 128, 160, 192, 213, 256)))
        if inputs and chance.randrange(4):
            data = chance.choice(inputs)
    tip = chance.choice((0, 1, 5))
    fee_cap = BASE_FEE + tip + chance.choice((0, 0, 3))
    good = True  # as far as can be said from here: the next nonce depends on it
    if chance.randrange(40) == 0:
        fee_cap, tip, good = BASE_FEE - 1, 0, False
    elif chance.randrange(60) == 0 and kind in (2, 4):
        tip, good = fee_cap + 1, False
    nonce = nonces[signer.address]
    if chance.randrange(40) == 0:
        nonce += chance.choice((1, -1)) if nonce else 1
    gas = chance.choice((100_000, 300_000, 500_000, 1_000_000, 3_000_000))
    if chance.randrange(8) == 0:
        gas = chance.randrange(21_000, 80_000)
        good = gas > 60_000 and kind != 4
    value = chance.choice((0, 0, 0, 1, 1_000))
    if chance.randrange(60) == 0:
        value, good = 10**25, False
    accesses = []
    if kind and chance.randrange(3) == 0:
        for _ in range(chance.randrange(1, 4)):
            slots = [chance.choice(SLOTS) for _ in range(chance.randrange(3))]
            accesses.append((chance.choice((*CONTRACTS, *PRECOMPILES[:2], EMPTY)), slots))
    authorizations = []
    if kind == 4:
        for _ in range(chance.randrange(1, 4)):
            signing = chance.choice((*AUTHORITIES, *AUTHORITIES, signer))
            known = pre.get(signing.address, Account()).nonce
            if signing is signer:
                known = nonce + 1
            authorizations.append(
                Authorization(
                    signer=signing,
                    chain_id=chance.choice((0, CHAIN_ID, CHAIN_ID, CHAIN_ID, 9)),
                    address=chance.choice((*CONTRACTS, *PRECOMPILES[:3], bytes(20), signing.address)),
                    nonce=known + chance.choice((0, 0, 0, 1, 2)),
                    spoil=chance.randrange(12) == 0,
                )
            )
    raw = sign(
        Fields(
            type=kind,
            chain_id=CHAIN_ID,
            nonce=nonce,
            fee_cap=fee_cap,
            tip=tip,
            gas=gas,
            to=to,
            value=value,
            data=data,
            access_list=accesses,
            authorizations=authorizations,
        ),
        signer,
    )
    if good and nonce == nonces[signer.address]:
        nonces[signer.address] += 1
    return raw
