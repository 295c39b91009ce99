"""The parts of a task by kind; missing and doubled ones are reported."""

from __future__ import annotations

from typing import TypeVar

from maker_dsl.checker.places import head
from maker_dsl.diagnostics import Label, Problems
from maker_dsl.syntax import tree

_Part = TypeVar("_Part")

_NEEDED = {
    "state": "say what passes from step to step: add `state { … }`",
    "done when": "say when the task is finished: add `done when …`",
    "step": "say what to ask a model: add `step { … }`",
}


class Parts:
    """The parts of a task by kind; missing and doubled ones are reported."""

    def __init__(self, task: tree.TaskDeclaration, problems: Problems) -> None:
        self._task = task
        self._problems = problems
        self.about = self._one(tree.About, "about")
        self.inputs = self._all(tree.Input)
        self.types = self._all(tree.TypeDeclaration)
        self.state = self._one(tree.StateBlock, "state")
        self.invariants = self._all(tree.Invariant)
        self.definitions = self._all(tree.Definition)
        self.checkers = self._all(tree.Checker)
        self.done = self._one(tree.DoneWhen, "done when")
        self.result = self._one(tree.Result, "result")
        self.expect = self._one(tree.Expect, "expect")
        self.steps = self._all(tree.Step)
        self.votes = self._all(tree.VoteBlock)
        self.references = self._all(tree.Reference)
        self.tests = self._all(tree.Test)
        present = {"state": self.state, "done when": self.done, "step": self.steps}
        missing = [word for word, part in present.items() if not part]
        if missing:
            title = "the task has " + " and ".join(f"no `{word}`" for word in missing)
            help = "; ".join(_NEEDED[word] for word in missing)
            problems.add("MK259", title, task.name.span, help=help)

    def _all(self, kind: type[_Part]) -> tuple[_Part, ...]:
        return tuple(part for part in self._task.parts if isinstance(part, kind))

    def _one(self, kind: type[_Part], word: str) -> _Part | None:
        found = self._all(kind)
        spans = [part.span for part in found if isinstance(part, tree.Node)]
        for span in spans[1:]:
            also = [Label(head(spans[0]), "first here")]
            title = f"the task has two `{word}` parts"
            self._problems.add("MK258", title, head(span), "a second one", also=also)
        return found[0] if found else None
