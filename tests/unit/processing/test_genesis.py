"""The genesis file: what is refused and how, and what the hash covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from vessel.errors import GenesisError
from vessel.primitives.hashing import BLAKE2B
from vessel.processing.genesis import Genesis, development_genesis, load_genesis, parse_genesis

ADDRESS = "0x" + "11" * 20
FILE = f"""
[chain]
name = "one"
id = 7
time = 2026-01-01T00:00:00Z
hash = "sha256"
dev = false

[consensus]
engine = "instant"
mode = "manual"

[containers.evm]
kind = "evm"
gas_limit = 1000
addresses = "open"
parameters = {{ size = 1, deep = {{ list = [1, 2] }} }}

[[containers.evm.forks]]
name = "prague"
height = 0

[containers.book]

[accounts]
"{ADDRESS}" = "1 coin"
"""


def parse(*changes: tuple[str, str]) -> Genesis:
    """Parse the file with some of its text changed."""
    text = FILE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_genesis(text, source="chain.toml")


def test_a_genesis_says_what_the_file_says() -> None:
    genesis = parse()
    assert (
        genesis.name, genesis.chain_id, genesis.time_ms, genesis.dev,
    ) == ("one", 7, 1_767_225_600_000, False)  # fmt: skip
    assert (genesis.consensus_engine, genesis.consensus) == ("instant", {"mode": "manual"})
    assert list(genesis.containers) == ["evm", "book"]
    assert (
        genesis.containers["book"].kind,
        genesis.containers["book"].gas_limit,
        genesis.containers["book"].addresses,
    ) == ("", 30_000_000, "reserved")
    assert {bytes.fromhex("11" * 20): 10**18} == genesis.accounts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("id = 7", "id = 0"), r"\[chain\] id = 0: expected 1 to"),
        (("id = 7", f"id = {1 << 63}"), r"\[chain\] id = 9223372036854775808"),
        (("id = 7", 'id = "7"'), "Expected `int`, got `str`"),
        (("id = 7", ""), "required field `id`"),
        (("id = 7", "id = 7\nnonsense = 1"), "unknown field `nonsense`"),
        (("T00:00:00Z", "T00:00:00"), "has no offset; write it as 2026-01-01T00:00:00Z"),
        (("2026-01-01", "1969-01-01"), "lies before 1970"),
        (('"sha256"', '"md5"'), "unknown hash 'md5'.*blake2b, sha256, sha3-256"),
        (('engine = "instant"', ""), r"\[consensus\] needs engine"),
        (('engine = "instant"', "engine = 5"), r"\[consensus\] needs engine"),
        (('mode = "manual"', "interval_ms = 1.5"), r"\[consensus.interval_ms\] holds 1.5"),
        (("[containers.book]", "[containers.Book]"), r"\[containers.Book\]: a container's name has 1 to 32"),
        (("[containers.book]", "[containers.9]"), "beginning with a letter"),
        (("[containers.book]", f"[containers.{'b' * 33}]"), "1 to 32"),
        (("gas_limit = 1000", "gas_limit = 0"), r"\[containers.evm\] gas_limit = 0: expected 1 to"),
        (("gas_limit = 1000", f"gas_limit = {1 << 63}"), "gas_limit = 9223372036854775808"),
        (('addresses = "open"', 'addresses = "all"'), "Invalid enum value 'all'"),
        (("height = 0", "height = 1"), r"\[\[containers.evm.forks\]\] heights \[1\]"),
        (("size = 1", "size = 1.0"), r"\[containers.evm.parameters.size\] holds 1.0, a floating-point"),
        (("size = 1", "size = inf"), "floating-point"),
        (("list = [1, 2]", "list = [1, 2.5]"), r"\[containers.evm.parameters.deep.list\] holds 2.5"),
        ((ADDRESS, "0x1234"), r"\[accounts\] '0x1234' is not an address.*got 4 digits"),
        ((ADDRESS, "0x" + "11" * 19 + "  "), "not hexadecimal digits"),
        (('"1 coin"', '"1 euro"'), rf'\[accounts\] {ADDRESS} = "1 euro": expected an integer'),
        (('"1 coin"', '"_ coin"'), "expected an integer"),
        (('"1 coin"', '"1.5 wei"'), "expected an integer"),
        (('"1 coin"', '"0.0000000000000000001 coin"'), "expected an integer"),
        (('"1 coin"', '"-1 coin"'), "expected an integer"),
        (('"1 coin"', "-1"), "an amount is not negative"),
        (('"1 coin"', "true"), "got `bool`"),
        (('"1 coin"', "1.0"), "got `float`"),
        (("[chain]", "[chain"), "chain.toml: "),
    ],
)
def test_refusals_name_the_file_the_field_and_the_mend(change: tuple[str, str], message: str) -> None:
    with pytest.raises(GenesisError, match=message) as caught:
        parse(change)
    assert caught.value.message.startswith("chain.toml: ")


def test_an_account_in_two_spellings_is_there_twice() -> None:
    upper, lower = "0x" + "AB" * 20, "0x" + "ab" * 20
    with pytest.raises(GenesisError, match=f"{lower} is there twice"):
        parse((f'"{ADDRESS}" = "1 coin"', f'"{upper}" = 1\n"{lower}" = 2'))


def test_fork_heights_rise() -> None:
    more = 'height = 0\n[[containers.evm.forks]]\nname = "osaka"\nheight = {}'
    parse(("height = 0", more.format(5)))
    with pytest.raises(GenesisError, match=r"heights \[0, 0\]: expected to begin at 0 and to rise strictly"):
        parse(("height = 0", more.format(0)))


def test_a_chain_has_containers() -> None:
    with pytest.raises(GenesisError, match="1 to 255 containers; this genesis has 0"):
        parse_genesis(
            '[chain]\nname="x"\nid=1\ntime=2026-01-01T00:00:00Z\n[consensus]\nengine="instant"\n[containers]',
            source="f",
        )
    many = "".join(f"[containers.c{number}]\n" for number in range(256))
    with pytest.raises(GenesisError, match="this genesis has 258"):
        parse(("[containers.book]", "[containers.book]\n" + many))


@pytest.mark.parametrize(
    ("amount", "coin"),
    [
        ('"1 coin"', 10**18), ('"1ether"', 10**18), ('"1.5 coin"', 15 * 10**17), ('"0.1 gwei"', 10**8),
        ('"10_000 coin"', 10**22), ('"7"', 7), ('"7 wei"', 7), ("7", 7), ("0", 0), (str(10**30), 10**30),
        ('"0.000000000000000001 coin"', 1), ('"1000000000.000000001 gwei"', 10**18 + 1),
    ],
)  # fmt: skip
def test_amounts_are_exact(amount: str, coin: int) -> None:
    assert [coin] == list(parse(('"1 coin"', amount)).accounts.values())


CHANGES = [
    ('name = "one"', 'name = "two"'),
    ("id = 7", "id = 8"),
    ("2026-01-01", "2026-01-02"),
    ('"sha256"', '"blake2b"'),
    ("dev = false", "dev = true"),
    ('"manual"', '"auto"'),
    ('mode = "manual"', 'mode = "manual"\nproposer = "0x00"'),
    ("gas_limit = 1000", "gas_limit = 1001"),
    ('"open"', '"reserved"'),
    ('kind = "evm"', 'kind = "evm2"'),
    ("size = 1", "size = 2"),
    ("[1, 2]", "[2, 1]"),
    ('"prague"', '"osaka"'),
    ("[containers.book]", "[containers.book]\ngas_limit = 5"),
    ("[containers.book]", "[containers.books]"),
    ('"1 coin"', '"2 coin"'),
    (ADDRESS, "0x" + "12" * 20),
]


def test_the_hash_changes_with_every_field() -> None:
    hashes = [parse().genesis_hash, *(parse(change).genesis_hash for change in CHANGES)]
    assert len(hashes) == len(set(hashes))


def test_the_order_of_containers_counts_because_it_numbers_their_namespaces() -> None:
    book, evm = FILE.index("[containers.book]"), FILE.index("[containers.evm]")
    accounts = FILE.index("[accounts]")
    swapped = FILE[:evm] + FILE[book:accounts] + FILE[evm:book] + FILE[accounts:]
    other = parse_genesis(swapped, source="f")
    assert list(other.containers) == ["book", "evm"]
    assert parse().genesis_hash != other.genesis_hash


@pytest.mark.parametrize(
    "change",
    [
        ("[chain]", "# a comment\n[chain]"),
        ("dev = false\n", ""),
        ('kind = "evm"\ngas_limit = 1000', 'gas_limit = 1_000\nkind = "evm"'),
        ("size = 1, deep = { list = [1, 2] }", "deep = { list = [1, 2] }, size = 1"),
        ("[containers.book]", '[containers.book]\naddresses = "reserved"'),
    ],
)
def test_the_hash_is_of_what_is_said_not_of_how(change: tuple[str, str]) -> None:
    assert parse().genesis_hash == parse(change).genesis_hash


def test_the_name_of_the_file_is_not_part_of_it() -> None:
    assert parse().genesis_hash == parse_genesis(FILE, source="elsewhere").genesis_hash


def test_the_chains_hash_hashes_the_genesis_too() -> None:
    genesis = parse(('"sha256"', '"blake2b"'))
    assert BLAKE2B is genesis.hasher
    assert parse().genesis_hash != genesis.genesis_hash


def test_the_development_genesis_has_ten_funded_accounts() -> None:
    genesis = development_genesis()
    assert (genesis.chain_id, genesis.dev, len(genesis.accounts)) == (31337, True, 10)
    assert {10_000 * 10**18} == set(genesis.accounts.values())


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(GenesisError, match=r"cannot read the genesis .*nowhere\.toml"):
        load_genesis(tmp_path / "nowhere.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GenesisError, match=r"cannot read the genesis .*binary\.toml"):
        load_genesis(binary)
    good = tmp_path / "good.toml"
    good.write_text(FILE)
    assert parse().genesis_hash == load_genesis(good).genesis_hash


def test_the_supply_has_a_bound() -> None:
    half = (1 << 255) + 1
    accounts = "".join(f'"0x{i:040x}" = "{half} wei"\n' for i in (1, 2))
    text = (
        '[chain]\nname = "x"\nid = 1\ntime = 2026-01-01T00:00:00Z\n[consensus]\nengine = "instant"\n'
        f"[containers.evm]\n[accounts]\n{accounts}"
    )
    with pytest.raises(GenesisError, match="more than 2\\*\\*256"):
        parse_genesis(text, source="here")


def test_a_mistyped_address_fails_its_checksum() -> None:
    text = (
        '[chain]\nname = "x"\nid = 1\ntime = 2026-01-01T00:00:00Z\n[consensus]\nengine = "instant"\n'
        '[containers.evm]\n[accounts]\n"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267" = 1\n'
    )
    with pytest.raises(GenesisError, match="fails its checksum"):
        parse_genesis(text, source="here")
