"""Replies: one description of a step's answer; from it come the prompt's words, the parser, the grammar, the renderer.

- `notation`: what the author wrote, as data; `checks`: what is wrong with it
- `format.reply_format`: the finished `ReplyFormat`
- `sampling`: deterministic broken and wrong replies for rehearsals
"""
