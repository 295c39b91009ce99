"""How much an expression may do and how large its values may grow: all bounds of the language in one place.

Fuel counts elementary operations: the size of the code repeated for each item of a comprehension, the size of a def's
body for each call, the items that a builtin looks at. It is full at the start of every evaluation (of a rule, an
update, a prompt, …), but all that binds a task to its inputs shares one, and so does all that tries a task out. The
bounds keep any evaluation under a second or two and some hundred megabytes.
"""

from __future__ import annotations

MAX_FUEL = 10_000_000
"""Elementary operations of one evaluation."""

MAX_TRIAL_FUEL = 3 * MAX_FUEL
"""Elementary operations of all that tries a task out when it is checked: its start, its tests, the first step."""

MAX_PROJECT_FUEL = MAX_TRIAL_FUEL + MAX_FUEL
"""Elementary operations of trying out all tasks of all files that belong together; those beyond are not tried out."""

MAX_TESTS_FUEL = MAX_TRIAL_FUEL
"""Elementary operations of all the tests that `maker check` runs of a file; `maker test` runs them all."""

MAX_ITEMS = 1_000_000
"""Items of a list that an operator or builtin makes."""

MAX_CHARACTERS = 10_000_000
"""Characters of a string that an operator or builtin makes."""

MAX_STATE_ITEMS = 1_000_000
"""Items of all lists and maps of a task's initial state."""

MAX_STATE_CHARACTERS = 10_000_000
"""Characters of all strings of a task's initial state."""

MAX_INT_BITS = 13_000
"""Binary digits of an int: about 3,900 decimal digits, which every JSON library still reads."""

MAX_DECIMAL_DIGITS = 50
"""Significant digits of a decimal that arithmetic gives; more are rounded, half to even."""

MAX_DECIMAL_EXPONENT = 999
"""A decimal lies under 10 ** 1000, its smallest place is 10 ** -1048."""

CHARACTERS_PER_FUEL = 8
"""So many characters count as one operation where a text is copied, compared or searched."""

BITS_PER_FUEL = 64
"""So many binary digits of a large int count as one operation where it is computed or kept."""
