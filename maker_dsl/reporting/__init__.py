"""What can be said of a run afterwards, gathered in one pass, and how it is shown: HTML, Markdown, JSON.

Used by `maker report`. Invariant: what is gathered, and so the size of a report, doesn't grow with the run.
"""
