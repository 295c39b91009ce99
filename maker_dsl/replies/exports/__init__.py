"""A reply's form for other tools: one small representation (`form`), and a file for each notation it is written in.

Used by `maker show FILE grammar --target …` and for constrained decoding, through `ReplyFormat.export`. All that an
export admits is read by the reply's own parser, but for what the export itself says is left to reading.
"""
