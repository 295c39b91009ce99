"""The simulated model: answers from a task's `reference`, failing at set rates; in process, and as a server."""
