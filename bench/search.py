"""Measure the search index: what a block pays for it, and what it saves a search.

    python bench/search.py [--blocks 1000] [--transactions 10] [--rounds 5] [--engine leveldb]

A token's chain: every transaction has one log of one contract, with Transfer, a sender and a receiver as
topics. Three layouts of the index hold the same blocks: `entries`, the platform's, one entry a term and
block; `postings`, one key a term and place; `lists`, all terms of a block in one value. Then filters from
rare to common, each also by decoding the receipts of every block (`scan`), all answers compared, in turn
in every round; figures are the best processor time. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from vessel.chain.matcher import Matcher
from vessel.chain.search import Search
from vessel.container.node_api import What
from vessel.database import search_index
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import Batch, KeyValue, Operation, default_engine, open_key_value
from vessel.database.search_index import Term, address_term, topic_term
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.encoding import u32, u64
from vessel.primitives.filter import Filter
from vessel.primitives.hashing import SHA256
from vessel.primitives.header import Header
from vessel.primitives.receipt import Log, Receipt, Status
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_HASH, Gas, Height

CONTRACT = b"\xc0" * 20
TRANSFER = b"\xdd" * 32
ACCOUNTS = 2_000
RARE = b"\1" * 32  # the receiver of one transfer in a hundred
Place = tuple[int, int, int]  # height, receipt, log


def chain(blocks: int, transactions: int) -> list[ExecutedBlock]:
    """Return the blocks."""
    random = Random(1)
    accounts = [random.randbytes(20).rjust(32, b"\0") for _ in range(ACCOUNTS)]
    made: list[ExecutedBlock] = []
    parent_id = ZERO_HASH
    for height in range(blocks):
        receipts = []
        for _ in range(transactions if height else 0):
            sender, receiver = random.sample(accounts, 2)
            if random.random() < 0.01:
                receiver = RARE
            log = Log(address=CONTRACT, topics=(TRANSFER, sender, receiver), data=random.randbytes(32))
            receipts.append(
                Receipt(
                    container="evm",
                    transaction_id=random.randbytes(32),
                    sender=sender[12:],
                    status=Status.OK,
                    gas_used=Gas(51_000),
                    logs=(log,),
                    tags=(sender[12:], CONTRACT),
                    details=b'{"effective_gas_price":"0x77359400"}',
                )
            )
        header = Header(
            height=Height(height), parent_id=parent_id, time_ms=height, transactions_root=ZERO_HASH
        )
        executed = ExecutedBlock(
            block_id=header.block_id(SHA256),
            block=Block(
                header=header,
                transactions=tuple(Transaction(container="evm", raw=random.randbytes(180)) for _ in receipts),
            ),
            receipts=tuple(receipts),
        )
        parent_id = executed.block_id
        made.append(executed)
    return made


def terms(executed: ExecutedBlock) -> Iterable[tuple[Term, int, int]]:
    """Yield the terms of a block's logs with their places, for the layouts that are compared."""
    for index, receipt in enumerate(executed.receipts):
        for number, log in enumerate(receipt.logs):
            yield address_term(receipt.container, log.address), index, number
            for place, topic in enumerate(log.topics):
                yield topic_term(receipt.container, place, topic), index, number


def posting_operations(executed: ExecutedBlock) -> list[Operation]:
    """Return one key a term and place."""
    height = u64(executed.block.header.height)
    return [(term + height + u32(index) + u32(number), b"") for term, index, number in terms(executed)]


def list_operations(executed: ExecutedBlock) -> list[Operation]:
    """Return all terms of a block in one value."""
    places: dict[bytes, list[tuple[int, int]]] = {}
    for term, index, number in terms(executed):
        places.setdefault(term, []).append((index, number))
    return [(u64(executed.block.header.height), msgspec.msgpack.encode(places))]


def entry_operations(executed: ExecutedBlock) -> list[Operation]:
    """Return the platform's entries for logs: of a block without what the other layouts do not have."""
    bare = tuple(
        Receipt(container=each.container, transaction_id=b"", sender=b"", status=each.status,
                gas_used=each.gas_used, logs=each.logs)
        for each in executed.receipts
    )  # fmt: skip
    return search_index.operations(
        ExecutedBlock(block_id=executed.block_id, block=executed.block, receipts=bare)
    )


def search_postings(store: KeyValue, groups: Sequence[Sequence[Term]], last: int) -> list[Place]:
    """Intersect the postings of all terms."""
    found: set[bytes] | None = None
    for group in groups:
        own = {
            key[len(term) :]
            for term in group
            for key, _ in store.iterate(start=term, stop=term + u64(last + 1), keys_only=True)
        }
        found = own if found is None else found & own
    decoded = ((int.from_bytes(k[:8], "big"), int.from_bytes(k[8:12], "big"), int.from_bytes(k[12:], "big"))
               for k in found or ())  # fmt: skip
    return sorted(decoded)


_PLACES = msgspec.msgpack.Decoder(dict[bytes, list[tuple[int, int]]])


def search_lists(store: KeyValue, groups: Sequence[Sequence[Term]], last: int) -> list[Place]:
    """Look into the list of every block."""
    found: list[Place] = []
    for key, value in store.iterate(start=u64(0), stop=u64(last + 1)):
        places = _PLACES.decode(value)
        meeting: set[tuple[int, int]] | None = None
        for group in groups:
            own = {place for term in group for place in places.get(term, ())}
            meeting = own if meeting is None else meeting & own
        height = int.from_bytes(key, "big")
        found += [(height, *place) for place in sorted(meeting or ())]
    return found


def scan(store: ChainStore, wanted: Filter, last: int) -> int:
    """Return the number of logs found by decoding the receipts of every block."""
    matcher = Matcher(What.LOGS, wanted, ("evm",))
    with store.reader() as reader:
        count = 0
        for height in range(last + 1):
            stored, block_id = reader.receipts(height), reader.block_id(height)
            assert block_id is not None
            header = reader.header(height)
            count += sum(1 for _ in matcher.logs(header, block_id, (*stored.receipts, *stored.hooks)))
        return count


def pages(search: Search, wanted: Filter) -> int:
    """Return the number of logs on all pages of a list."""
    count, token = 0, b""
    while True:
        page = search.page(What.LOGS, wanted, page_size=10_000, page_token=token)
        count, token = count + len(page.items), page.next_token
        if not token:
            return count


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


class Layouts:
    """The same blocks under three indexes, each in a store of its own."""

    def __init__(self, folder: Path, engine: str, blocks: list[ExecutedBlock]) -> None:
        """Write them all."""
        self.names = {
            "entries": entry_operations,
            "postings": posting_operations,
            "lists": list_operations,
        }
        self.stores = {name: open_key_value(f"{engine}:{folder / name}") for name in self.names}
        self.rows: dict[str, dict[str, float]] = {}
        for name, operations in self.names.items():
            size_bytes = keys = 0
            spent = 0.0
            for executed in blocks:
                begun = time.process_time()
                batch = Batch(operations(executed))
                self.stores[name].write(batch, sync=False)
                spent += time.process_time() - begun
                keys += len(batch)
                size_bytes += sum(len(key) + len(value or b"") for key, value in batch)
            logs = sum(len(executed.receipts) for executed in blocks)
            self.rows[name] = {
                "write_us_a_log": round(spent / logs * 1e6, 2),
                "keys_a_log": round(keys / logs, 2),
                "bytes_a_log": round(size_bytes / logs, 1),
            }

    def close(self) -> None:
        """Close the stores."""
        for store in self.stores.values():
            store.close()


def filters(blocks: list[ExecutedBlock]) -> dict[str, Filter]:
    """Return what is searched for, from rare to common."""
    once = blocks[-1].receipts[0].logs[0].topics[1]
    return {
        "nobody": Filter(addresses=(b"\7" * 20,)),
        "one sender": Filter(addresses=(CONTRACT,), topics=((TRANSFER,), (once,))),
        "1 in 100": Filter(addresses=(CONTRACT,), topics=((TRANSFER,), (), (RARE,))),
        "every log": Filter(addresses=(CONTRACT,), topics=((TRANSFER,),)),
    }


def measure(store: ChainStore, layouts: Layouts, wanted: Filter, rounds: int) -> dict[str, float]:
    """Return the best time of each way to the same answer."""
    search = Search(store, ("evm",))
    groups = search.matcher(What.LOGS, wanted).groups
    last = store.head.block.header.height
    ways: dict[str, Callable[[], object]] = {
        "list": partial(pages, search, wanted),
        "scan": partial(scan, store, wanted, last),
        "postings": partial(search_postings, layouts.stores["postings"], groups, last),
        "lists": partial(search_lists, layouts.stores["lists"], groups, last),
    }

    def entries() -> list[Place]:
        with store.reader() as reader:
            return [
                (found.height, receipt, 0)
                for found in reader.find(groups, 0, last)
                if found.match
                for receipt in found.receipts or ()
            ]

    ways["entries"] = entries
    count = pages(search, wanted)
    assert count == scan(store, wanted, last)
    assert entries() == ways["postings"]() == ways["lists"]()
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, work in ways.items():
            best[name] = min(best.get(name, 1e9), seconds(work))
    return {
        "logs": count,
        **{f"{name}_ms": round(spent * 1e3, 3) for name, spent in best.items()},
        "scan_ratio": round(best["scan"] / best["list"], 1),
    }


def main() -> None:
    """Print two tables, then JSON."""
    parser = argparse.ArgumentParser(description="the search index")
    parser.add_argument("--blocks", type=int, default=1_000)
    parser.add_argument("--transactions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", default=default_engine())
    arguments = parser.parse_args()
    blocks = chain(arguments.blocks + 1, arguments.transactions)
    folder = Path(tempfile.mkdtemp(prefix="vessel-search-"))
    try:
        store = ChainStore.open(
            f"{arguments.engine}:{folder / 'chain'}", genesis_hash=b"\1" * 32, hasher=SHA256
        )
        begun = time.process_time()
        for executed in blocks:
            store.append(executed, store.state.begin(store.state.head_version))
        append_s = time.process_time() - begun
        index_s = seconds(lambda: [search_index.operations(executed) for executed in blocks])
        layouts = Layouts(folder, arguments.engine, blocks)
        print(f"{arguments.blocks} blocks of {arguments.transactions} logs with 3 topics, {arguments.engine}")
        print(f"{'layout':<10}{'write µs/log':>14}{'keys/log':>10}{'bytes/log':>11}")
        for name, row in layouts.rows.items():
            print(f"{name:<10}{row['write_us_a_log']:>14}{row['keys_a_log']:>10}{row['bytes_a_log']:>11}")
        share = round(index_s / append_s, 3)
        index_us = round(index_s / (arguments.blocks * arguments.transactions) * 1e6, 1)
        print(f"all terms of the index: {index_us} µs a transaction, {share:.1%} of appending these blocks")
        print("\nProcessor time in ms. list: pages of logs, by the index; scan: by every block's receipts.")
        print(f"{'filter':<12}{'logs':>7}{'list':>10}{'scan':>10}{'scan/list':>11}  the index alone:"
              f"{'entries':>9}{'postings':>10}{'lists':>9}")  # fmt: skip
        rows = []
        for name, wanted in filters(blocks).items():
            row = measure(store, layouts, wanted, arguments.rounds)
            rows.append({"filter": name, **row})
            print(f"{name:<12}{row['logs']:>7}{row['list_ms']:>10}{row['scan_ms']:>10}{row['scan_ratio']:>11}"
                  f"{'':>18}{row['entries_ms']:>9}{row['postings_ms']:>10}{row['lists_ms']:>9}")  # fmt: skip
        layouts.close()
        store.close()
        result = {
            "benchmark": "search", "blocks": arguments.blocks, "transactions": arguments.transactions,
            "engine": arguments.engine, "index_us_a_transaction": index_us,
            "index_share_of_append": share,
            "layouts": layouts.rows, "filters": rows,
        }  # fmt: skip
        print(json.dumps(result))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
