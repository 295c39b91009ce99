"""Checking: from the tree to names and types known to be right, or to everything that is wrong. Begins in `task`."""
