"""The store of a chain, from outside to inside: is it there, free, this chain's, and whole."""

from __future__ import annotations

from collections.abc import Iterator

from vessel.cli.finding import Finding, fail, ok, warn
from vessel.cli.store_holder import store_path, with_holder
from vessel.config import NodeConfig
from vessel.database.examination import examine, is_empty
from vessel.database.key_value import open_key_value
from vessel.errors import StoreCorrupt, StoreLocked, VesselError
from vessel.processing.genesis import Genesis

RESTORE = "restore a backup, or replay the chain into an empty directory"


def examine_store(config: NodeConfig, genesis: Genesis, *, deep: bool) -> Iterator[Finding]:
    """Yield what there is to say of the configured store; it is not changed."""
    path = store_path(config.store)
    if path is None and config.store == "memory:":
        yield ok("store", "in memory: the chain is gone with the node")
        return
    if path is not None and not (path / "CURRENT").exists() and not path.is_file():
        if path.exists() and any(path.iterdir()):
            yield warn("store", f"{path} is not empty and holds no store", "name another directory")
        else:
            yield ok("store", f"{config.store} is not there yet; the next run begins the chain")
        return
    try:
        store = open_key_value(config.store, create=False)
    except StoreLocked as error:
        yield fail("store", with_holder(error, config.store))
        return
    except VesselError as error:
        yield fail("store", error)
        return
    try:
        if is_empty(store):
            yield ok("store", f"{config.store} is empty; the next run begins the chain")
            return
        found = examine(store, genesis_hash=genesis.genesis_hash, hasher=genesis.hasher, deep=deep)
    except VesselError as error:
        yield fail("store", error)
        return
    finally:
        store.close()
    depth = f"all {found.records} records of the tree" if deep else "a sample"
    seen = f"{found.blocks} blocks and {found.values} values looked at, {depth}"
    if found.faults:
        for fault in found.faults:
            yield fail("store", StoreCorrupt(fault), mend=RESTORE)
    else:
        yield ok("store", f"{config.store}, head at {found.height}; {seen}")
    if found.unused_records:
        yield warn(
            "store",
            f"{found.unused_records} records of the state tree belong to no tree: space, not harm",
            "report it: this is a fault of vessel",
        )
