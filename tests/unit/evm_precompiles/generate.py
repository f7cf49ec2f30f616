"""Write the vectors anew: inputs made here, answers of Ethereum's own specification in Python.

    python tests/unit/evm_precompiles/generate.py

It needs an environment of its own with ethereum-execution==2.20.0 and cryptography in it, nothing else of
this repository. The inputs follow from the seed; a run takes some minutes, for the specification computes
pairings in plain Python.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SOURCE = "ethereum-execution 2.20.0, the specification in Python (ethereum/execution-specs)"
FOLDER = Path(__file__).parent / "vectors"
ENDLESS_GAS = 2**64 - 1

BN_FIELD = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
BN_ORDER = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
BLS_FIELD = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
)
BLS_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
SECP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Named = Iterator[tuple[str, bytes]]
chance = random.Random(20261122)


def word(value: int, size: int = 32) -> bytes:
    return value.to_bytes(size, "big")


def answer(fork: str, address: int, data: bytes) -> tuple[int | None, bytes | None]:
    """Return gas and output; None for an input that is refused (and for its gas where none was charged)."""
    mapping = import_module(f"ethereum.forks.{fork}.vm.precompiled_contracts.mapping").PRE_COMPILED_CONTRACTS
    exceptional = import_module(f"ethereum.forks.{fork}.vm.exceptions").ExceptionalHalt
    numeric = import_module("ethereum_types.numeric")
    contract = mapping[import_module(f"ethereum.forks.{fork}.fork_types").Address(word(address, 20))]
    machine = SimpleNamespace(
        message=SimpleNamespace(data=data), gas_left=numeric.Uint(ENDLESS_GAS), output=b""
    )
    try:
        contract(machine)
    except exceptional:
        spent = ENDLESS_GAS - int(machine.gas_left)
        return spent or None, None
    return ENDLESS_GAS - int(machine.gas_left), bytes(machine.output)


# ---- inputs, by family


def ecrecover() -> Named:
    from coincurve import PrivateKey

    key = PrivateKey(word(0xC0FFEE))
    digest = hashlib.sha256(b"vessel").digest()
    signature = key.sign_recoverable(digest, hasher=None)
    r, s, v = signature[:32], signature[32:64], signature[64] + 27
    high = word(SECP_ORDER - int.from_bytes(s, "big"))
    yield "good", digest + word(v) + r + s
    yield "good, more bytes behind it", digest + word(v) + r + s + b"\1" * 7
    yield "high s", digest + word(55 - v) + r + high
    yield "other recovery bit", digest + word(55 - v) + r + s
    yield "v of 0", digest + word(0) + r + s
    yield "v with a bit far above", digest + word(v + (1 << 248)) + r + s
    yield "r is zero", digest + word(v) + bytes(32) + s
    yield "s is zero", digest + word(v) + r + bytes(32)
    yield "r is the order", digest + word(v) + word(SECP_ORDER) + s
    yield "s is the order", digest + word(v) + r + word(SECP_ORDER)
    yield "s is the order less one", digest + word(v) + r + word(SECP_ORDER - 1)
    yield "r is not on the curve", digest + word(v) + word(5) + s
    yield "digest of zeros", bytes(32) + word(v) + r + s
    yield "short", (digest + word(v) + r + s)[:127]
    yield "empty", b""


def digests() -> Named:
    for size in (0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 119, 128, 500):
        yield f"{size} bytes", chance.randbytes(size)


def modexp() -> Named:
    def encoded(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
        return word(len(base)) + word(len(exponent)) + word(len(modulus)) + base + exponent + modulus

    yield "empty", b""
    yield "lengths of zero", bytes(96)
    yield "example of EIP-198", encoded(b"\3", word(2**256 - 2**32 - 978), word(2**256 - 2**32 - 977))
    yield (
        "base of no bytes",
        word(0) + word(32) + word(32) + word(2**256 - 2**32 - 978) + word(2**256 - 2**32 - 977),
    )
    yield "cut off", encoded(b"\3", word(2**256 - 1), word(7))[:120]
    yield "modulus missing", word(1) + word(2) + word(32) + b"\3\xff\xff"
    yield "modulus of zeros", encoded(b"\3", b"\5", bytes(32))
    yield "modulus of one", encoded(b"\3", b"\5", word(1))
    yield "zero to zero", encoded(b"\0", b"\0", b"\7")
    yield "zero to zero, modulus one", encoded(b"", b"", b"\1")
    yield "even modulus", encoded(chance.randbytes(40), chance.randbytes(3), chance.randbytes(39) + b"\0")
    yield "exponent of any length at no price", word(0) + word(2**256 - 1) + word(0)
    yield "exponent longer than can be paid", word(0) + word(2**256 - 1) + word(1)
    yield "modulus longer than can be paid", word(1) + word(1) + word(2**255)
    yield "exponent of zeros, 40 bytes", encoded(b"\3", bytes(40), b"\7")
    yield "exponent of 33 bytes", encoded(b"\3", b"\1" + bytes(32), word(2**255 - 19))
    for sizes in (
        (32, 32, 32),
        (64, 1, 64),
        (64, 33, 64),
        (1, 64, 31),
        (128, 3, 96),
        (200, 2, 256),
        (33, 5, 8),
    ):
        yield f"random {sizes}", encoded(*(chance.randbytes(size) for size in sizes))
    yield "1024 bytes", encoded(chance.randbytes(1024), b"\3", chance.randbytes(1024))
    yield "1025 bytes", encoded(chance.randbytes(1025), b"\3", chance.randbytes(32))
    yield "exponent of 1025 bytes", encoded(b"", bytes(1025), b"\2")


def bn_g1(k: int) -> bytes:
    from py_ecc.optimized_bn128 import G1, multiply, normalize

    if k % BN_ORDER == 0:
        return bytes(64)
    return b"".join(word(c.n) for c in normalize(multiply(G1, k % BN_ORDER)))


def bn_g2(k: int) -> bytes:
    from py_ecc.optimized_bn128 import G2, multiply, normalize

    if k % BN_ORDER == 0:
        return bytes(128)
    return b"".join(word(c.coeffs[1]) + word(c.coeffs[0]) for c in normalize(multiply(G2, k % BN_ORDER)))


def bn_twist_outside() -> bytes:
    """Return a point of the twist that is not of the subgroup."""
    from py_ecc.optimized_bn128 import FQ2, b2

    for x in range(1, 1000):
        # All but one in 10^76 of the twist's points are outside of the subgroup.
        root = _root(FQ2((x, 1)) ** 3 + b2)
        if root is not None:
            return word(1) + word(x) + word(root.coeffs[1]) + word(root.coeffs[0])
    raise AssertionError("there are such points")


def _root(square: Any) -> Any:
    """Return a square root in Fp2 by the norm; None where there is none in reach."""
    from py_ecc.optimized_bn128 import FQ2

    a, b = square.coeffs
    norm = (a * a + b * b) % BN_FIELD
    n = pow(norm, (BN_FIELD + 1) // 4, BN_FIELD)
    for sign in (n, -n):
        half = (a + sign) * pow(2, -1, BN_FIELD) % BN_FIELD
        x = pow(half, (BN_FIELD + 1) // 4, BN_FIELD)
        if x and x * x % BN_FIELD == half:
            root = FQ2((x, b * pow(2 * x, -1, BN_FIELD) % BN_FIELD))
            if root * root == square:
                return root
    return None


def bn_add() -> Named:
    yield "empty", b""
    yield "infinity twice", bytes(128)
    yield "one and two, short", bn_g1(1) + bn_g1(2)[:40]
    yield "sum", bn_g1(3) + bn_g1(12345)
    yield "double", bn_g1(7) + bn_g1(7)
    yield "opposites", bn_g1(7) + bn_g1(-7)
    yield "infinity and a point", bytes(64) + bn_g1(9)
    yield "a point and infinity, and more bytes", bn_g1(9) + bytes(64) + b"\xff" * 9
    yield "not on the curve", word(1) + word(1) + bn_g1(2)
    yield "coordinate above the modulus", word(1 + BN_FIELD) + word(2) + bn_g1(2)
    yield "coordinate is the modulus", word(BN_FIELD) + word(0) + bn_g1(2)


def bn_multiply() -> Named:
    yield "empty", b""
    for scalar in (0, 1, 2, 9, BN_ORDER - 1, BN_ORDER, BN_ORDER + 1, 2**255, 2**256 - 1):
        yield f"by {scalar:#x}", bn_g1(5) + word(scalar)
    yield "infinity", bytes(64) + word(7)
    yield "cut off scalar", bn_g1(5) + b"\1"
    yield "random", bn_g1(chance.getrandbits(250)) + chance.randbytes(32) + b"\2"
    yield "not on the curve", word(1) + word(3) + word(0)
    yield "coordinate above the modulus", word(1) + word(2 + BN_FIELD) + word(3)


def bn_pairing() -> Named:
    yield "no pairs", b""
    yield "one", bn_g1(1) + bn_g2(1)
    yield "opposites", bn_g1(1) + bn_g2(1) + bn_g1(-1) + bn_g2(1)
    yield "2·3 = 6", bn_g1(2) + bn_g2(3) + bn_g1(-6) + bn_g2(1)
    yield "2·3 is not 7", bn_g1(2) + bn_g2(3) + bn_g1(-7) + bn_g2(1)
    yield "infinity on the left", bytes(64) + bn_g2(3)
    yield "infinity on the right", bn_g1(3) + bytes(128)
    yield (
        "three pairs",
        bn_g1(11) + bn_g2(13) + bn_g1(17) + bn_g2(19) + bn_g1(-(11 * 13 + 17 * 19)) + bn_g2(1),
    )
    yield "191 bytes", (bn_g1(1) + bn_g2(1))[:191]
    yield "193 bytes", bn_g1(1) + bn_g2(1) + b"\0"
    yield "left not on the curve", word(1) + word(3) + bn_g2(1)
    yield "right not on the curve", bn_g1(1) + word(1) * 4
    yield "right not in the subgroup", bn_g1(1) + bn_twist_outside()
    yield "infinity and right not in the subgroup", bytes(64) + bn_twist_outside()
    yield "coordinate above the modulus", bn_g1(1) + word(BN_FIELD) + bytes(96)


def blake2f() -> Named:
    good = chance.randbytes(208)
    yield "empty", b""
    yield "212 bytes", word(12, 4) + good
    yield "214 bytes", word(12, 4) + good + b"\1\0"
    yield "final flag of two", word(12, 4) + good + b"\2"
    for rounds in (0, 1, 7, 10, 12, 13, 40):
        for final in (0, 1):
            yield f"{rounds} rounds, final {final}", word(rounds, 4) + chance.randbytes(208) + bytes((final,))
    # EIP-152, vector 5: the hash of "abc".
    h = (
        "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
        "d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
    )
    yield (
        "EIP-152, abc",
        word(12, 4) + bytes.fromhex(h) + b"abc".ljust(128, b"\0") + b"\3".ljust(16, b"\0") + b"\1",
    )


def bls_scalar_field(value: int) -> bytes:
    return word(value, 64)


def bls_g1(k: int) -> bytes:
    from py_ecc.optimized_bls12_381 import G1, multiply, normalize

    if k % BLS_ORDER == 0:
        return bytes(128)
    return b"".join(word(c.n, 64) for c in normalize(multiply(G1, k % BLS_ORDER)))


def bls_g2(k: int) -> bytes:
    from py_ecc.optimized_bls12_381 import G2, multiply, normalize

    if k % BLS_ORDER == 0:
        return bytes(256)
    return b"".join(
        word(c.coeffs[0], 64) + word(c.coeffs[1], 64) for c in normalize(multiply(G2, k % BLS_ORDER))
    )


def bls_g1_outside() -> bytes:
    """Return a point of the curve that is not of the subgroup."""
    for x in range(1, 100):
        square = (x**3 + 4) % BLS_FIELD
        y = pow(square, (BLS_FIELD + 1) // 4, BLS_FIELD)
        if y * y % BLS_FIELD == square:
            return word(x, 64) + word(y, 64)
    raise AssertionError("there are such points")


def bls_g2_outside() -> bytes:
    """Return a point of the twist that is not of the subgroup: x = 0 + i·n."""
    for n in range(1, 100):
        # y² = (n·i)³ + 4·(1 + i) = 4 + (4 - n³)·i
        a, b = 4, (4 - n**3) % BLS_FIELD
        norm = pow(a * a + b * b, (BLS_FIELD + 1) // 4, BLS_FIELD)
        for sign in (norm, -norm):
            half = (a + sign) * pow(2, -1, BLS_FIELD) % BLS_FIELD
            c0 = pow(half, (BLS_FIELD + 1) // 4, BLS_FIELD)
            if not c0 or c0 * c0 % BLS_FIELD != half:
                continue
            c1 = b * pow(2 * c0, -1, BLS_FIELD) % BLS_FIELD
            if ((c0 * c0 - c1 * c1) % BLS_FIELD, 2 * c0 * c1 % BLS_FIELD) == (a, b):
                return word(0, 64) + word(n, 64) + word(c0, 64) + word(c1, 64)
    raise AssertionError("there are such points")


def bls_add(point: Any, outside: bytes, size: int) -> Named:
    yield "empty", b""
    yield "infinity twice", bytes(2 * size)
    yield "sum", point(3) + point(12345)
    yield "double", point(7) + point(7)
    yield "opposites", point(7) + point(-7)
    yield "infinity and a point", bytes(size) + point(9)
    yield "not in the subgroup, taken", outside + point(9)
    yield "one byte less", (point(1) + point(2))[:-1]
    yield "one byte more", point(1) + point(2) + b"\0"
    yield "padding not zero", b"\1" + (point(1) + point(2))[1:]
    yield "not on the curve", point(1)[:-1] + b"\1" + point(2)
    yield "coordinate is the modulus", word(BLS_FIELD, 64) + bytes(size - 64) + point(2)


def bls_sum(point: Any, outside: bytes, size: int) -> Named:
    yield "empty", b""
    yield "by zero", point(5) + word(0)
    yield "by the order", point(5) + word(BLS_ORDER)
    yield "by the most", point(5) + word(2**256 - 1)
    yield "infinity", bytes(size) + word(7)
    yield "two terms", point(5) + word(7) + point(11) + word(13)
    yield (
        "three terms, one infinite",
        point(5) + word(BLS_ORDER - 1) + bytes(size) + word(1) + point(5) + word(2),
    )
    yield "not in the subgroup", outside + word(1)
    yield "one byte more", point(5) + word(7) + b"\0"
    yield "padding not zero", b"\1" + point(5)[1:] + word(7)


def bls_pairing() -> Named:
    yield "empty", b""
    yield "one", bls_g1(1) + bls_g2(1)
    yield "2·3 = 6", bls_g1(2) + bls_g2(3) + bls_g1(-6) + bls_g2(1)
    yield "infinity on the left", bytes(128) + bls_g2(3)
    yield "infinity on the right", bls_g1(3) + bytes(256)
    yield "left not in the subgroup", bls_g1_outside() + bls_g2(1)
    yield "right not in the subgroup", bls_g1(1) + bls_g2_outside()
    yield "one byte less", (bls_g1(1) + bls_g2(1))[:-1]


def bls_map(size: int) -> Named:
    yield "empty", b""
    yield "zeros", bytes(size)
    yield "one", word(1, size)
    yield "the greatest", word(BLS_FIELD - 1, 64) * (size // 64)
    yield "the modulus", word(BLS_FIELD, 64) * (size // 64)
    yield "random", b"".join(word(chance.randrange(BLS_FIELD), 64) for _ in range(size // 64))
    yield "padding not zero", b"\1" + bytes(size - 1)
    yield "one byte less", bytes(size - 1)


def point_evaluation() -> Named:
    from py_ecc.bls.g2_primitives import G1_to_pubkey
    from py_ecc.optimized_bls12_381 import G1, Z1, multiply

    def encoded(commitment: bytes, z: int, y: int, proof: bytes) -> bytes:
        versioned = b"\1" + hashlib.sha256(commitment).digest()[1:]
        return versioned + word(z) + word(y) + commitment + proof

    infinity = bytes(G1_to_pubkey(Z1))
    constant = bytes(G1_to_pubkey(multiply(G1, 7)))  # the polynomial that is 7 everywhere
    yield "empty", b""
    yield "constant zero", encoded(infinity, 5, 0, infinity)
    yield "constant seven", encoded(constant, 123, 7, infinity)
    yield "constant seven is not eight", encoded(constant, 123, 8, infinity)
    yield "proof of another", encoded(constant, 123, 7, constant)
    yield "z is the order", encoded(constant, BLS_ORDER, 7, infinity)
    yield "y is the order and seven", encoded(constant, 1, 7 + BLS_ORDER, infinity)
    yield "wrong version", b"\2" + encoded(constant, 123, 7, infinity)[1:]
    yield (
        "wrong hash",
        encoded(constant, 123, 7, infinity)[:31] + b"\0" + encoded(constant, 123, 7, infinity)[32:],
    )
    yield "one byte more", encoded(constant, 123, 7, infinity) + b"\0"
    yield "infinity in another form", encoded(constant, 123, 7, b"\xe0" + bytes(47))
    yield "infinity with a bit set", encoded(constant, 123, 7, b"\xc0" + bytes(46) + b"\1")
    yield "uncompressed flag", encoded(constant, 123, 7, b"\x40" + bytes(47))


def p256verify() -> Named:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

    key = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    digest = hashlib.sha256(b"vessel").digest()
    r, s = decode_dss_signature(
        key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
    )
    public = word(numbers.x) + word(numbers.y)
    yield "good", digest + word(r) + word(s) + public
    yield "good, other s", digest + word(r) + word(P256_ORDER - s) + public
    yield "other hash", word(1) + word(r) + word(s) + public
    yield "r is zero", digest + word(0) + word(s) + public
    yield "s is zero", digest + word(r) + word(0) + public
    yield "r is the order", digest + word(P256_ORDER) + word(s) + public
    yield "s is the order", digest + word(r) + word(P256_ORDER) + public
    yield "not on the curve", digest + word(r) + word(s) + word(numbers.x) + word(numbers.y ^ 1)
    yield "infinity", digest + word(r) + word(s) + bytes(64)
    yield "x above the modulus", digest + word(r) + word(s) + word(P256_FIELD) + word(numbers.y)
    yield "one byte less", (digest + word(r) + word(s) + public)[:-1]
    yield "one byte more", digest + word(r) + word(s) + public + b"\0"
    yield "empty", b""


FAMILIES: dict[str, list[tuple[str, int, Any]]] = {
    "ecrecover": [("osaka", 0x01, ecrecover)],
    "digests": [("osaka", 0x02, digests), ("osaka", 0x03, digests), ("osaka", 0x04, digests)],
    "modexp": [("prague", 0x05, modexp), ("osaka", 0x05, modexp)],
    "alt_bn128": [("osaka", 0x06, bn_add), ("osaka", 0x07, bn_multiply), ("osaka", 0x08, bn_pairing)],
    "blake2f": [("osaka", 0x09, blake2f)],
    "point_evaluation": [("osaka", 0x0A, point_evaluation)],
    "bls12_381": [
        ("osaka", 0x0B, lambda: bls_add(bls_g1, bls_g1_outside(), 128)),
        ("osaka", 0x0C, lambda: bls_sum(bls_g1, bls_g1_outside(), 128)),
        ("osaka", 0x0D, lambda: bls_add(bls_g2, bls_g2_outside(), 256)),
        ("osaka", 0x0E, lambda: bls_sum(bls_g2, bls_g2_outside(), 256)),
        ("osaka", 0x0F, bls_pairing),
        ("osaka", 0x10, lambda: bls_map(64)),
        ("osaka", 0x11, lambda: bls_map(128)),
    ],
    "p256verify": [("osaka", 0x100, p256verify)],
}


def main() -> None:
    """Write a file for each family."""
    for family, contracts in FAMILIES.items():
        vectors = []
        for fork, address, inputs in contracts:
            for name, data in inputs():
                gas, output = answer(fork, address, data)
                vectors.append(
                    {
                        "name": name,
                        "fork": fork,
                        "address": f"{address:#x}",
                        "input": "0x" + data.hex(),
                        "gas": gas,
                        "output": None if output is None else "0x" + output.hex(),
                    }
                )
        content = {"source": SOURCE, "vectors": vectors}
        (FOLDER / f"{family}.json").write_text(json.dumps(content, indent=1) + "\n")
        print(f"{family}: {len(vectors)} vectors")


if __name__ == "__main__":
    main()
