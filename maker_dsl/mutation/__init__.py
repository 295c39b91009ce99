"""The mutation check: right replies are corrupted, and what no flag, rule, invariant or type catches is listed.

`values` corrupts the typed value of a reply, `texts` its text, `cases` finds right replies in a task's tests and on its
reference's path, `survey` judges and counts. Pure: chance and time come in as arguments.
"""
