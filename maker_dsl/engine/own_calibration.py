"""A run's own short calibration: random states of the task's reference, before the first step.

Used where a run is begun whose margin is to follow from a measurement that nobody has made yet. What it spends is the
run's: it is held to the run's limit on money, and counted in its plan. Nothing of it is journaled as samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from maker_dsl.engine.budget import NOTHING, RunBudget
from maker_dsl.engine.calibration import Calibrator
from maker_dsl.engine.calibration_file import Calibration
from maker_dsl.engine.calibration_summary import About, is_narrow, summarize
from maker_dsl.engine.examination import Examination
from maker_dsl.engine.settings import Caps, RunOptions, SettingsRefused, refusal
from maker_dsl.engine.start import ProviderSetup
from maker_dsl.engine.trajectory import choose_from_reference
from maker_dsl.providers.clock import Clock
from maker_dsl.task import Task

STATES = 60
SAMPLES = 10
PRECISION = 0.005
"""It stops as soon as p is known to within this on either side."""


@dataclass(frozen=True, slots=True)
class OwnCalibration:
    """What came of it. `calibration` is None where nothing is known afterwards."""

    calibration: Calibration | None
    examination: Examination
    spent: tuple[float, int, int]
    """USD, tokens and samples; calls of unknown use at their worst."""


async def calibrate_first(
    task: Task, setup: ProviderSetup, options: RunOptions, clock: Clock, random: Random
) -> OwnCalibration:
    """Put random states of the reference's way to a run's own model.

    Raises SettingsRefused where the reference gives no states or a limit can't be held, TaskError, and TruthRefused
    where the reference's own reply is flagged.
    """
    sample = choose_from_reference(task, STATES, random)
    if not sample.chosen or any(one.step.reference is None for one in sample.chosen):
        why = sample.why or "a step has no `reference`"
        raise SettingsRefused(
            refusal(
                "MK515",
                f"the margin can't be measured as the run begins: {why}",
                "--ahead-by",
                "auto",
                f"measure it beforehand, `maker calibrate {task.name} --from RUN -o FILE` or `--from-states`, and give "
                "`--calibration FILE`",
            )
        )
    budget = RunBudget(Caps(max_cost_usd=options.max_cost_usd), NOTHING, NOTHING, lambda _granted: None)
    asked = RunOptions(max_cost_usd=options.max_cost_usd, seed=options.seed)
    calibrator = Calibrator(
        sample.chosen, setup, SAMPLES, asked, budget, clock, random, lambda results: is_narrow(results, PRECISION)
    )
    await calibrator.examine()
    examination = calibrator.so_far()
    price = setup.provider.price
    model = setup.profile.get("model")
    about = About(
        task.name,
        str(setup.profile.get("asked", setup.provider.name)),
        "a calibration of the run's own",
        None if model is None else str(model),
        options.seed,
        sample.steps or task.expected_steps,
        sample.steps,
        not setup.provider.answers_at_once,
        None if price is None else price.input,
        None if price is None else price.output,
    )
    found = summarize(calibrator.results, calibrator.metered.by_state, about)
    return OwnCalibration(found, examination, budget.spent.as_tuple())
