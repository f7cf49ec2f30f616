"""Engines: what executes EVM messages. `interface` says what one is."""
