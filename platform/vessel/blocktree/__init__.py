"""Which blocks exist, which branch is best, and how to move between branches."""
