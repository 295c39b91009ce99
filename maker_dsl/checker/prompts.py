"""Checks what a step says to models: its system text, its prompt in every wording, and how a thought is put into form.

Used by `steps`. Invariant: a step's wordings have names that tell them apart; `thought` is known to the template of
`then format with` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maker_dsl.checker.checked import CheckedLet, CheckedWording
from maker_dsl.checker.places import head
from maker_dsl.checker.replies import speaks_of_form
from maker_dsl.checker.scope import Path, Scope
from maker_dsl.checker.task_context import TaskContext
from maker_dsl.checker.templates import CheckedTemplate, check_template, warn_of_blind_prompt, warn_of_silent_prompt
from maker_dsl.diagnostics import Label, Span
from maker_dsl.syntax import tree
from maker_dsl.types.type import StringType, Type

PLAIN = "prompt"
"""What the wording of the plain `prompt` is called."""

THOUGHT = "thought"
"""What the template of `then format with` calls the model's answer."""

LONGEST_NAME = 60

MOST_VARIANTS = 31
"""Further wordings of one step: more would hardly ever be asked, and each is tried out whenever the file is checked."""


@dataclass(frozen=True, slots=True)
class WrittenPrompts:
    """The parts of a step that are prompts, as the author wrote them."""

    system: tree.Prompt | None
    prompt: tree.Prompt | None
    variants: tuple[tree.Prompt, ...]
    reply: tree.Reply | None


@dataclass(frozen=True, slots=True)
class CheckedPrompts:
    """The prompts that may be compiled; None, or left out, where one has mistakes."""

    system: CheckedTemplate | None
    prompt: CheckedTemplate | None
    variants: tuple[CheckedWording, ...]
    format_prompt: CheckedTemplate | None


def check_prompts(
    written: WrittenPrompts, lets: tuple[CheckedLet, ...], scope: Scope, facts: Iterable[Path], context: TaskContext
) -> CheckedPrompts:
    """Check all prompts of a step; what they read counts as used in `scope`."""
    templates = _Templates(lets, scope, tuple(facts), context)
    format_with = None if written.reply is None else written.reply.format_with
    system = None if written.system is None else templates.check(written.system.template)
    prompt = None if written.prompt is None else templates.check(written.prompt.template)
    _check_names(written.variants, context)
    variants = [(one, templates.check(one.template)) for one in written.variants[:MOST_VARIANTS]]
    system_is_well = system is not None or written.system is None
    if system_is_well:
        for text, template in ((written.prompt, prompt), *variants):
            if text is not None and template is not None:
                shown = [template] if system is None else [system, template]
                if format_with is None:
                    templates.warn(text.template, shown, written.reply)
    return CheckedPrompts(
        system,
        prompt,
        tuple(
            CheckedWording(one.variant.value, template)
            for one, template in variants
            if one.variant is not None and template is not None
        ),
        None if format_with is None else _check_format_prompt(format_with, written.reply, templates, context),
    )


def check_profile(parts: Sequence[tree.WithProfile], context: TaskContext) -> tree.Text | None:
    """The profile that a step names, if it does; doubled and impossible names are reported."""
    for further in parts[1:]:
        also = [Label(parts[0].span, "first here")]
        title = "the step has two profiles"
        context.problems.add("MK258", title, further.span, "a second one", also=also)
    if not parts:
        return None
    check_profile_name(parts[0].profile, context)
    return parts[0].profile


def check_profile_name(name: tree.Text, context: TaskContext) -> None:
    """Report what no profile is called. Whether there is one of that name is not the task's affair."""
    text = name.value
    title, help = "no profile can be called that", 'write the name of a profile, such as `"strong"`'
    if "/" in text or "\\" in text or text.endswith(".toml"):
        title = "a task names a profile, never a file"
        help = f"`--with {_stem(text)}=PATH` of `maker run` says which file a name stands for"
    elif text.strip() and text == text.strip() and "=" not in text and text.isprintable():
        return
    context.problems.add("MK292", title, name.span, help=help)


def _stem(text: str) -> str:
    return text.replace("\\", "/").split("/")[-1].removesuffix(".toml") or "strong"


class _Templates:
    """What the templates of one step share."""

    def __init__(
        self, lets: tuple[CheckedLet, ...], scope: Scope, facts: tuple[Path, ...], context: TaskContext
    ) -> None:
        self.names: dict[str, Type] = {**context.input_types, **context.state_types}
        self.names.update((let.name, let.type) for let in lets if not let.looks_at_reply)
        self._unusable = {
            let.name: "it looks at the reply, which is not there yet" for let in lets if let.looks_at_reply
        }
        self._changing = {*context.state_types, *(let.name for let in lets)}
        self._scope = scope
        self._facts = facts
        self._context = context

    def check(self, text: tree.Text, *, knows_thought: bool = False) -> CheckedTemplate | None:
        """Check one template."""
        names, unusable = self.names, self._unusable
        if knows_thought:
            names = {**names, THOUGHT: StringType()}
        else:
            unusable = {THOUGHT: "only the prompt of `then format with` knows a thought", **unusable}
        template = check_template(text, names, unusable, self._context.problems, self._facts)
        if template is not None:
            for name in template.names:
                self._scope.lookup(name)
        return template

    def warn(self, text: tree.Text, shown: Sequence[CheckedTemplate], reply: tree.Reply | None) -> None:
        """Warn of a prompt without state or form."""
        tells_form = any(one.uses_reply_forms for one in shown)
        if not tells_form and not any(one.names & self._changing for one in shown):
            warn_of_blind_prompt(text, self._context.problems)
        elif not tells_form and reply is not None:
            fixed = "\n".join(one.fixed_text for one in shown)
            if not speaks_of_form(fixed, reply.notation):
                warn_of_silent_prompt(text, self._context.unused)


def _check_names(variants: Sequence[tree.Prompt], context: TaskContext) -> None:
    if len(variants) > MOST_VARIANTS:
        title = f"a step has at most {MOST_VARIANTS + 1} wordings, the plain prompt included"
        help = f"leave {len(variants) - MOST_VARIANTS:,} of them out"
        context.problems.add("MK289", title, head(variants[MOST_VARIANTS].span), "one too many", help=help)
    seen: dict[str, Span] = {}
    for one in variants[:MOST_VARIANTS]:
        name = one.variant
        if name is None:
            continue
        if name.value == PLAIN:
            title = f"`{PLAIN}` is the name of the plain prompt"
            context.problems.add("MK289", title, name.span, help="give this wording another name")
        elif name.value in seen:
            also = [Label(seen[name.value], "first here")]
            title = f"two wordings are called `{name.value}`"
            context.problems.add("MK289", title, name.span, "a second time here", also=also, help="rename one of them")
        elif not name.value.strip() or not name.value.isprintable() or len(name.value) > LONGEST_NAME:
            title = "a wording has a name on one line" if name.value.strip() else "this wording has no name"
            help = 'reports tell wordings apart by their names: `prompt variant "short"`'
            context.problems.add("MK289", title, name.span, help=help)
        seen.setdefault(name.value, name.span)


def _check_format_prompt(
    format_with: tree.FormatWith, reply: tree.Reply | None, templates: _Templates, context: TaskContext
) -> CheckedTemplate | None:
    """Check the second half of `then format with`."""
    check_profile_name(format_with.profile, context)
    text = format_with.prompt
    if text is None:
        return None
    if THOUGHT in templates.names:
        title = f"`{THOUGHT}` means two things here: a name of the task, and what the model thought"
        binding = context.state.find(THOUGHT)
        also = [] if binding is None or binding.span is None else [Label(binding.span, "the task's name")]
        context.problems.add("MK291", title, head(format_with.span), also=also, help="rename the task's `thought`")
        return None
    template = templates.check(text, knows_thought=True)
    if template is None:
        return None
    if THOUGHT not in template.names:
        title = "this prompt never shows the thought that is to be put into form"
        context.problems.add("MK290", title, text.span, help="show it: `{{ thought }}`")
    elif reply is not None:
        tells_form = template.uses_reply_forms or speaks_of_form(template.fixed_text, reply.notation)
        if not tells_form:
            warn_of_silent_prompt(text, context.unused)
    return template
