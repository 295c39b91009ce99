"""Syntax: from text to tree by the table made from `grammars/maker.lark`. Begins in `parser`."""
