"""Drives one chain: admission, block production, replay, reading, events."""
