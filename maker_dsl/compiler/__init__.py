"""Compiling: from a checked task to Python code objects, and bound to inputs to a `task.Task`. Begins in `program`."""
