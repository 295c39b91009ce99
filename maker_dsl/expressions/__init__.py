"""What compiled expressions call at run time: builtins, bounded operators, limits, and errors with their place."""
