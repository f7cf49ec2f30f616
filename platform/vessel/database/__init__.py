"""The database layer: key-value engines, flat state in versions, its commitment, proofs and history."""
