"""What `maker calibrate` prints: the figures with their intervals, the errors, the hardest states, the flags."""

from __future__ import annotations

from maker_dsl.cli.output import count, plain
from maker_dsl.cli.plan_text import share_text, time_text, usd_text
from maker_dsl.engine.calibration_file import Calibration, Estimate, StateTally
from maker_dsl.engine.planning import UNEVEN
from maker_dsl.engine.theory import wilson_interval

HARDEST = 5
"""States that are shown."""
LONGEST = 100
"""Characters of a state or an answer that are shown."""


def calibration_lines(calibration: Calibration, *, stopped_early: bool) -> list[str]:
    """The whole report, line by line."""
    states = calibration.states
    samples = sum(state.samples for state in states)
    lines = [
        f"{calibration.task} on {calibration.provider}: {count(len(states), 'state')} of {calibration.source}, "
        f"{count(samples, 'sample')}" + (", stopped early: the interval is narrow enough" if stopped_early else "")
    ]
    if calibration.truth == "reference":
        lines.append("what is right is what the task's reference says")
    else:
        lines.append(
            "there is no reference for all of them: what is right is what most samples of a state agree on, "
            "so p is too high where samples share an error"
        )
    lines += ["", *_figures(calibration), "", *_errors(calibration), *_hardest(calibration), *_flags(calibration)]
    return lines


def _figures(calibration: Calibration) -> list[str]:
    rows: list[tuple[str, Estimate | None, str]] = [
        ("p", calibration.p, "votes that are right"),
        ("v", calibration.passing, "replies that pass the flags"),
        ("tokens in", calibration.tokens_in, "of a sample"),
        ("tokens out", calibration.tokens_out, "of a sample"),
        ("latency", calibration.latency_s, "of a sample"),
        ("cost", calibration.cost_usd, "of a sample"),
    ]
    table = [("", "measured", f"{share_text(calibration.level)} interval".replace(".00", ""), "")]
    for name, estimate, about in rows:
        if estimate is None:
            table.append((name, "not known", "", about))
        else:
            low, high = _shown(name, estimate.low), _shown(name, estimate.high)
            table.append((name, _shown(name, estimate.value), f"{low} to {high}", about))
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return [
        *lines,
        "intervals: by states, since samples of one state go together (Wilson's for shares, Student's t else)",
    ]


def _shown(name: str, value: float) -> str:
    match name:
        case "p" | "v":
            return share_text(value)
        case "latency":
            return time_text(value)
        case "cost":
            return usd_text(value)
        case _:
            return f"{value:,.1f}"


def _errors(calibration: Calibration) -> list[str]:
    wrong = sum(state.votes - state.right for state in calibration.states)
    if not wrong:
        return ["no vote was wrong"]
    where = sum(state.right < state.votes for state in calibration.states)
    kind = (
        "they go together in some states: systematic errors"
        if calibration.systematic or calibration.design_effect > UNEVEN
        else "they lie as independent errors would"
    )
    lines = [f"{count(wrong, 'wrong vote')} in {count(where, 'state')}; {kind}"]
    if calibration.errors_agree is not None:
        lines.append(f"of two wrong votes in a state, {share_text(calibration.errors_agree)} agree with each other")
    return lines


def _hardest(calibration: Calibration) -> list[str]:
    missed = [state for state in calibration.states if state.right < state.votes]
    if not missed:
        return []
    missed.sort(key=lambda state: (not state.systematic, state.right / state.votes, state.origin))
    lines = ["", "hardest states:"]
    for state in missed[:HARDEST]:
        lines += _state_lines(state)
    if len(missed) > HARDEST:
        lines.append(f"  and {count(len(missed) - HARDEST, 'state')} more with wrong votes")
    return lines


def _state_lines(state: StateTally) -> list[str]:
    bad = "; NO VOTE CAN BE RIGHT HERE" if state.systematic else ""
    lines = [
        f"  {state.origin} (step {state.step} of {state.task}): {state.right} of {state.votes} votes right{bad}",
        f"    state {_short(plain(state.state))}",
    ]
    wrong = [answer for answer in state.answers if not answer.right][:3]
    lines += [f"    wrong {answer.votes} × {_short(str(answer.value))}" for answer in wrong]
    return lines


def _flags(calibration: Calibration) -> list[str]:
    if not calibration.flags:
        return []
    lines = ["", "flags:"]
    for name, flag in calibration.flags.items():
        line = f"  {flag.raised:,} × {name}"
        if flag.hit_right is not None:
            interval = wilson_interval(flag.hit_right, flag.raised)
            line += (
                f"; {flag.hit_right:,} had the right answer "
                f"({share_text(interval.low)} to {share_text(interval.high)}, Wilson)"
            )
        lines.append(line)
    return lines


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[:LONGEST] + "…"
