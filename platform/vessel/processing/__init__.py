"""Transactions on their way into blocks: genesis, mempool, executor, native-coin ledger."""
