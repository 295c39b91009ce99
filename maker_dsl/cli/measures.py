"""`maker show FILE limits`: how long prompts and replies of each step can be. Loaded for that alone."""

from __future__ import annotations

from maker_dsl.cli.output import json_result, result
from maker_dsl.engine.fit import PromptTokens, prompt_tokens
from maker_dsl.task import Step, Task


def show_limits(task: Task, steps: list[Step], as_json: bool) -> None:
    """Print the limits of steps, as text or as an object for each."""
    for step in steps:
        prompt = prompt_tokens(task, step)
        if as_json:
            json_result(
                {
                    "step": step.name,
                    "longest_reply": step.reply.longest_tokens,
                    "max_tokens": step.max_tokens,
                    "overlong_above": step.overlong_above,
                    "prompt": prompt.initial,
                    "largest_prompt": prompt.largest,
                }
            )
        else:
            result(f"step {step.name}\n  reply   {_reply(step)}\n  prompt  {_prompt(prompt)}")


def _reply(step: Step) -> str:
    asked = "none" if step.max_tokens is None else f"{step.max_tokens:,} tokens"
    where = f"{asked} where the profile says nothing"
    if step.reply.longest_tokens is None:
        return f"of any length; {where}"
    if step.overlong_above is None:
        return f"at most {where}"
    return f"at most {where}; longer ones are flagged `overlong`"


def _prompt(prompt: PromptTokens) -> str:
    known = {"in the initial state": prompt.initial, "in the largest state": prompt.largest}
    about = [f"{tokens:,} tokens {state}" for state, tokens in known.items() if tokens is not None]
    return "about " + ", ".join(about) if about else "not known before the run"
