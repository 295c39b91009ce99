"""Draws a task: its steps, and which may follow which."""
