"""A run as tables for pandas, DuckDB and the like: its steps, its replies; streamed, in memory that doesn't grow.

Used by `maker export`.
"""
