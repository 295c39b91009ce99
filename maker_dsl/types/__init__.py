"""The language's types and what each of them gives.

- `type`: the types as data; `display`: their names for people
- `codec`: validator, JSON reader, canonical JSON writer, JSON Schema
- `patterns`: the regexes of `string matching /…/`
"""
