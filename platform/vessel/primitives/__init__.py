"""Data format: what a block, a transaction and a receipt are, and how each is hashed."""
