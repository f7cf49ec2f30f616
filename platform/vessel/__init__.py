"""Vessel: a core chain process that hosts virtual machines as business-logic containers."""
