"""Precompiled contracts: what lives at the low addresses, one file a family of them.

`table` says which fork has which; a family gives for each of its contracts the price of an input and the
answer to it. Both follow from the input alone.
"""

from vessel_evm.engine.precompiles.table import FORKS, Precompiles

__all__ = ["FORKS", "Precompiles"]
