"""All exports of a reply's form and both of its own readers, held against each other on one text after the other."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import gbnf_reader
import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from lark import Lark
from lark.exceptions import LarkError
from llguidance import LLMatcher, LLTokenizer
from reply_strategies import mutate

from maker_dsl.replies.author_format import AuthorFormat
from maker_dsl.replies.exports.export import reply_form
from maker_dsl.replies.exports.form import Characters, Choice, Form, Named, Node, Repeat, Sequence, Text, names_in
from maker_dsl.replies.format import GeneratedFormat
from maker_dsl.replies.layout import raw
from maker_dsl.replies.lexing import PythonLexer
from maker_dsl.replies.placement import placed
from maker_dsl.replies.samples import sample
from maker_dsl.replies.sampling import corrupt, perturb
from maker_dsl.task import NotExpressible, Parsed, Refused
from maker_dsl.types.errors import ValueRefused

Recognise = Callable[[str], bool]

_BYTES = LLTokenizer("byte")


def llguidance_recogniser(grammar: str) -> Recognise:
    matcher = LLMatcher(_BYTES, LLMatcher.grammar_from_lark(grammar), log_level=0)
    assert not matcher.is_error(), (matcher.get_error(), grammar)

    def accepts(text: str) -> bool:
        tokens = list(text.encode())
        whole = matcher.validate_tokens(tokens) == len(tokens)
        if whole:
            matcher.consume_tokens(tokens)
            whole = matcher.is_accepting()
        assert not matcher.is_error(), (matcher.get_error(), grammar)
        matcher.reset()
        return whole

    return accepts


def lark_recogniser(grammar: str) -> Recognise:
    # Lark's contextual lexer; made by Lark itself, it would look for collisions of regexes, which takes a second.
    parser = Lark(grammar, parser="lalr", lexer=PythonLexer)

    def accepts(text: str) -> bool:
        try:
            parser.parse(text)
        except LarkError:
            return False
        return True

    return accepts


def regex_recogniser(regex: str) -> Recognise:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    compiled = re2.compile(regex, options)
    return lambda text: compiled.fullmatch(text.encode()) is not None


def schema_recogniser(schema: str) -> Recognise:
    validator = Draft202012Validator(json.loads(schema), format_checker=Draft202012Validator.FORMAT_CHECKER)

    def accepts(text: str) -> bool:
        try:
            validator.validate(json.loads(text))
        except (ValueError, ValidationError):
            return False
        return True

    return accepts


_MAKERS: dict[Any, Callable[[str], Recognise]] = {
    "lark": lark_recogniser,
    "llguidance": llguidance_recogniser,
    "gbnf": gbnf_reader.recogniser,
    "regex": regex_recogniser,
}


_AROUND = {
    "end": re.compile(""),
    "whole": re.compile(""),
    "fenced": re.compile(r"```[a-z]*\n\n```"),
    "tag": re.compile(r"<\w+>\n?\n?</\w+>"),
}
"""What stands around a reply that is all of an output."""


class Exports:
    """The recognisers of a format's exports."""

    def __init__(self, format: GeneratedFormat) -> None:
        self.format = format
        self.form: Form = reply_form(format._notation, format._place)
        self.texts: dict[Any, str] = {}
        for target in _MAKERS:
            try:
                self.texts[target] = format.export(target)
            except NotExpressible:
                assert target == "regex"
        self.recognisers = {target: _MAKERS[target](text) for target, text in self.texts.items()}
        try:
            self.schema: Recognise | None = schema_recogniser(format.export("json-schema"))
        except NotExpressible:
            self.schema = None
        self.accepted = 0
        self.holds_raw_text = any(raw(member.type) for member in format.type.members)
        """Of white space inside lines and texts it can't be told here what may be left out."""
        self.is_tagged = format._place.kind == "tag"
        """What stands in a tag escapes what could open one."""

    def check(self, text: str) -> bool:
        """That all agree on a text; whether the exports admit it."""
        if not is_encodable(text):
            return False
        verdicts = {target: accepts(text) for target, accepts in self.recognisers.items()}
        assert len(set(verdicts.values())) == 1, (text, verdicts, self.texts)
        admitted = verdicts["gbnf"]
        self.accepted += admitted
        read = self.format.read(text)
        if isinstance(read, Parsed):
            meant = self.format.read_by_grammar(text, read.start, read.end)
            assert isinstance(meant, Parsed), (text, meant)
            assert repr(meant.value) == repr(read.value), text
        if admitted:
            assert isinstance(read, Parsed) or self._was_left(read), (text, read, self.texts["gbnf"])
            if isinstance(read, Parsed):
                around = text[: read.start] + text[read.end :]
                assert _AROUND[self.format._place.kind].fullmatch(around), (text, read, self.texts["gbnf"])
                assert self.schema is None or self.schema(text), text
        elif isinstance(read, Parsed):
            self._check_left_out(text, read)
        return admitted

    def _was_left(self, refused: Refused) -> bool:
        return bool(self.form.left_to_reading) and refused.stage != "locate"

    def _check_left_out(self, text: str, read: Parsed) -> None:
        """A reply that is read but not admitted differs from its canonical text by more than a blank here or there."""
        inner = text[read.start : read.end]
        try:
            canonical = self.format.render(read.value)
        except ValueRefused:
            return
        again = self.format.read(canonical)
        assert isinstance(again, Parsed)
        plain = canonical[again.start : again.end]
        if self.holds_raw_text or (self.is_tagged and not self.recognisers["gbnf"](canonical)):
            return
        if _without_space(inner) != _without_space(plain):
            return
        allowed = {" ", *re.findall(r"\s+", plain)}
        if set(re.findall(r"\s+", inner)) <= allowed and re.findall(r"\n", inner) == re.findall(r"\n", plain):
            alone = placed(inner, self.format._place)
            assert all(accepts(alone) for accepts in self.recognisers.values()), (alone, self.texts["gbnf"])


def _without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


class AuthorExports:
    """The recognisers of the exports of an author's grammar, which admit what its parser reads, and more."""

    def __init__(self, format: AuthorFormat) -> None:
        self.format = format
        self.form = reply_form(format._notation, format._place)
        self.texts: dict[Any, str] = {}
        for target in ("llguidance", "gbnf", "regex"):
            with suppress(NotExpressible):
                self.texts[target] = format.export(target)
        self.recognisers = {target: _MAKERS[target](text) for target, text in self.texts.items()}
        self.is_one_language = "regex" in self.texts
        """Where rules hold themselves, llguidance splits a text into words first, in a way of its own."""
        self.accepted = self.read = 0

    def check(self, text: str) -> None:
        """That the exports admit what is read, and are of one mind where they can be."""
        if not is_encodable(text) or len(text) > 300:
            return
        verdicts = {target: accepts(text) for target, accepts in self.recognisers.items()}
        if self.is_one_language:
            assert len(set(verdicts.values())) == 1, (text, verdicts, self.texts)
        read = self.format.read(text)
        self.accepted += all(verdicts.values())
        self.read += isinstance(read, Parsed)
        if isinstance(read, Parsed) and self._is_tidy(text) and self._stands_alone(text, read):
            # White space around a reply does not count, but a grammar may ask for the line break that ends it.
            ended = {target: accepts(text + "\n") for target, accepts in self.recognisers.items()}
            for target in verdicts.keys() - (set() if self.is_one_language else {"llguidance"}):
                assert verdicts[target] or ended[target], (text, target, self.texts[target])

    def _stands_alone(self, text: str, read: Parsed) -> bool:
        return read.start == 0 and read.end == len(text)

    def _is_tidy(self, text: str) -> bool:
        """Whether all white space is single blanks; without an `%ignore` every text is tidy."""
        ignores = bool(self.format._parser.ignore_tokens)
        return not ignores or not re.search(r"[^\S ]|  ", text)


def is_encodable(text: str) -> bool:
    """Whether there are no halves of surrogate pairs, which no model's output holds."""
    return not re.search("[\ud800-\udfff]", text)


def generate(form: Form, source: random.Random, node: Node | None = None, depth: int = 0) -> str:
    """A text of a form, at random; deep in rules that hold themselves, by the option with the fewest names."""
    node = form.start if node is None else node
    match node:
        case Text(text):
            return text
        case Characters(ranges):
            low, high = source.choice(ranges[:2] if source.random() < 0.9 else ranges)
            return chr(source.randint(low, min(high, low + 40) if source.random() < 0.9 else high))
        case Sequence(parts):
            return "".join(generate(form, source, part, depth) for part in parts)
        case Choice(options):
            if depth > 12:
                options = tuple(sorted(options, key=lambda one: len([*names_in(one)])))[:1]
            return generate(form, source, source.choice(options), depth)
        case Repeat(part, low, high):
            more = 0 if depth > 12 else 3
            most = low + more if high is None else min(high, low + more)
            times = high if high is not None and source.random() < 0.02 else source.randint(low, most)
            return "".join(generate(form, source, part, depth) for _ in range(times))
        case Named(name):
            return generate(form, source, form.rules[name], depth + 1)


def texts(exports: Exports, source: random.Random) -> Iterator[str]:
    """Texts without end: replies, texts of the form, and both with mistakes."""
    format = exports.format
    first = format._codec.validate(sample(format.type))
    value = first
    while True:
        value = perturb(format.type, value, source) if source.random() < 0.95 else first
        try:
            rendered = format.render(value)
        except ValueRefused:
            rendered = format.example
        written = generate(exports.form, source)
        yield rendered
        yield written
        yield mutate(rendered, source)
        yield mutate(written, source)
        yield corrupt(written, source)
        yield spliced(written, source)


def spliced(text: str, source: random.Random) -> str:
    """A text with its own beginning, or a fence, on another line: where the reply could seem to begin anew, or end."""
    breaks = [at for at, character in enumerate(text) if character == "\n"] or [len(text)]
    at = source.choice(breaks)
    anew = source.choice([text[: source.randrange(1, 12)], "```", "```\n```"])
    return f"{text[:at]}\n{anew}{text[at:]}"


def author_texts(exports: AuthorExports, source: random.Random, examples: tuple[str, ...] = ()) -> Iterator[str]:
    """Texts without end of an author's grammar, and near it."""
    while True:
        written = generate(exports.form, source)
        yield written
        yield mutate(written, source)
        yield corrupt(written, source)
        for example in examples:
            yield example
            yield mutate(example, source)
