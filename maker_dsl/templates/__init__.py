"""The template language of prompts: a small, closed part of Jinja, and how values appear in it."""
