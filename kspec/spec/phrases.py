"""The message for each error type of Pydantic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from kspec.spec.diagnostics import Span
from kspec.spec.expressions import ExpressionError
from kspec.spec.fields import beside_at, description_at, home_of, keys_at, planned_at
from kspec.spec.node import Node
from kspec.spec.suggestions import nearest, suggest
from kspec.spec.words import describe, enumerate_words, quote

EXPECTED: Mapping[str, str] = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "nothing",
}
"""The expected type, in words, for each error of a wrong type."""

MAX_CHOICES = 8
"""Maximum number of choices in a headline."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A Pydantic error with the node that it concerns."""

    kind: str
    loc: tuple[str | int, ...]
    context: Mapping[str, Any]
    text: str
    node: Node
    rest: tuple[str | int, ...]
    """The end of `loc` that the YAML lacks: the missing key, or a part inside Pydantic."""
    model: type[BaseModel]

    @property
    def missing(self) -> str | int:
        """The last part of the location."""
        return self.loc[-1] if self.loc else ""


@dataclass(frozen=True, slots=True)
class Said:
    """The message for a fault; with `expected`, several faults may share one sentence."""

    code: str
    message: str
    help: str | None = None
    span: Span | None = None
    expected: str | None = None


def say(fault: Fault) -> Said:
    if fault.kind in EXPECTED:
        return Said("KS203", "", expected=EXPECTED[fault.kind])
    phrase = PHRASES.get(fault.kind)
    if phrase is not None:
        return phrase(fault)
    return Said("KS209", fault.text[:1].lower() + fault.text[1:])


def _unknown_key(fault: Fault) -> Said:
    name = str(fault.missing)
    span = fault.node.key or fault.node.point()
    known = keys_at(fault.model, fault.loc[:-1])
    home = home_of(fault.model, fault.loc[:-1], name)
    if home is not None:
        return Said("KS201", f"unknown key `{name}`", f"it is written `{home}`", span)
    near = nearest(name, known)
    free = [key for key in known if key not in _siblings(fault.node)]
    help_ = f"did you mean `{near}`?" if near else suggest(name, free, none="remove it")
    return Said("KS201", f"unknown key `{name}`", help_, span)


def _siblings(node: Node) -> Mapping[str, Node]:
    return node.parent.mapping if node.parent is not None else {}


def _unknown_choice(fault: Fault) -> Said:
    found = str(fault.context["found"])
    if fault.node.value == found:
        return _none_of(fault.node, fault.context["known"])
    span = fault.node.key if fault.node.step == found and fault.node.key else fault.node.point()
    # An entry's choice is a separate field, which the YAML does not have.
    entry = fault.loc[:-2]
    if (way_out := planned_at(fault.model, entry).get(found)) is not None:
        return Said("KS221", f"inputs of the kind `{found}` are not read yet", way_out, span)
    home = home_of(fault.model, entry, found)
    help_ = f"it is written `{home}`" if home else suggest(found, fault.context["known"])
    return Said("KS201", f"unknown key `{found}`", help_, span)


def _missing_key(fault: Fault) -> Said:
    key = fault.missing
    if isinstance(key, int):
        return Said("KS206", f"the list ends too early: item {key + 1} is missing")
    about = description_at(fault.model, fault.loc)
    about = f": {about[0].lower()}{about[1:].rstrip('.')}" if about else ""
    return Said("KS202", f"{_subject(fault.node)} needs `{key}`", f"add `{key}`{about}")


def _subject(node: Node) -> str:
    if node.parent is None:
        return "the spec"
    if isinstance(node.step, int):
        return f"`{node.value}`" if isinstance(node.value, str) else "the item"
    return f"`{node.step}`"


def _choices(fault: Fault) -> Said:
    expected = str(fault.context["expected"])
    words = [word.strip("'\"") for word in _split_choices(expected)]
    value = fault.node.value
    help_ = suggest(str(value), words) if isinstance(value, str) and len(words) > 1 else None
    if fault.loc == ("kspec",):
        help_ = f"this kspec reads version {words[0]} of the language"
    if len(words) > MAX_CHOICES:
        return _none_of(fault.node, words)
    shown = [f"`{word}`" for word in words] if expected.startswith("'") else words
    return Said("KS204", f"expected {enumerate_words(shown)}, found {describe(fault.node)}", help_)


def _none_of(node: Node, words: Sequence[str]) -> Said:
    if isinstance(node.value, str):
        help_ = suggest(node.value, words)
        return Said("KS204", f"{quote(node.value)} is none of the {len(words)} choices", help_)
    return Said("KS204", f"expected one of {len(words)} words, found {describe(node)}")


def _split_choices(expected: str) -> list[str]:
    return [word for part in expected.split(" or ") for word in part.split(", ")]


def _one_choice(fault: Fault) -> Said:
    beside = beside_at(fault.model, fault.loc[:-1])
    known = [f"`{key}`" for key in fault.context["known"] if key not in beside]
    more = len(known) - MAX_CHOICES
    shown = known if more <= 0 else [*known[:MAX_CHOICES], f"{more} more"]
    if fault.kind == "choice_form":
        return Said("KS208", "", expected=enumerate_words(shown))
    return Said("KS208", f"{_subject(fault.node)} needs one of {enumerate_words(shown)}")


def _second_choice(fault: Fault) -> Said:
    found = str(fault.context["found"])
    span = fault.node.key or fault.node.point()
    return Said("KS208", f"`{found}` stands beside another choice", "keep one of the two", span)


def _bound(words: str, key: str) -> Callable[[Fault], Said]:
    def say(fault: Fault) -> Said:
        bound = fault.context[key]
        bound = int(bound) if isinstance(bound, float) and bound.is_integer() else bound
        return Said("KS205", f"expected a number {words} {bound}, found {fault.node.value}")

    return say


def _length(words: str, key: str, unit: str) -> Callable[[Fault], Said]:
    def say(fault: Fault) -> Said:
        bound = fault.context[key]
        count = len(fault.node.plain() or ())
        units = unit if bound == 1 else f"{unit}s"
        beyond = fault.node.items[bound:] if key == "max_length" else []
        span = beyond[0].point() if beyond else None
        return Said("KS206", f"expected {words} {bound} {units}, found {count}", span=span)

    return say


def _text_form(fault: Fault) -> Said:
    text = fault.node.value if fault.missing != "[key]" else fault.node.step
    span = fault.node.key if fault.missing == "[key]" else None
    context = fault.context
    return Said("KS207", f"`{text}` {context['found']}", str(context["help"]), span)


def _pattern(fault: Fault) -> Said:
    pattern = fault.context["pattern"]
    return Said("KS207", f"`{fault.node.value}` does not match {pattern}")


def _worded(code: str, found: str) -> Callable[[Fault], Said]:
    """Return a function whose help is the schema's own message."""

    def say(fault: Fault) -> Said:
        message = f"{quote(str(fault.node.plain()))} {found}"
        return Said(code, message, str(fault.context["message"]))

    return say


def _parameter(fault: Fault) -> Said:
    return Said("KS203", "", expected=str(fault.context["message"]))


def _value_error(fault: Fault) -> Said:
    error = fault.context["error"]
    if isinstance(error, ExpressionError):
        is_word = not any(sign.isdigit() for sign in str(fault.node.value))
        if is_word or error.code == "KS302":
            return Said("KS203", "", expected="a number")
        return Said(error.code, error.message, error.help, fault.node.part(error.start, error.end))
    return Said("KS209", str(error))


def _form(fault: Fault) -> Said:
    return Said("KS203", "", expected=fault.text.removeprefix("expected "))


def _invalid(fault: Fault) -> Said:
    known = fault.context.get("known")
    help_ = suggest(str(fault.missing), known) if known else fault.context.get("help")
    span = fault.node.key if fault.node.step == fault.missing else None
    return Said("KS209", str(fault.context["message"]), help_, span)


def _not_finite(_: Fault) -> Said:
    return Said("KS205", "expected a finite number")


PHRASES: Mapping[str, Callable[[Fault], Said]] = {
    "extra_forbidden": _unknown_key,
    "choice_unknown": _unknown_choice,
    "missing": _missing_key,
    "literal_error": _choices,
    "enum": _choices,
    "choice_missing": _one_choice,
    "choice_form": _one_choice,
    "choice_many": _second_choice,
    "greater_than": _bound("above", "gt"),
    "greater_than_equal": _bound("of at least", "ge"),
    "less_than": _bound("below", "lt"),
    "less_than_equal": _bound("of at most", "le"),
    "multiple_of": _bound("that is a multiple of", "multiple_of"),
    "finite_number": _not_finite,
    "too_short": _length("at least", "min_length", "item"),
    "too_long": _length("at most", "max_length", "item"),
    "string_too_short": _length("at least", "min_length", "character"),
    "string_too_long": _length("at most", "max_length", "character"),
    "string_pattern_mismatch": _pattern,
    "text_form": _text_form,
    "path": _worded("KS210", "is not a path inside the spec's folder"),
    "gate": _worded("KS207", "is not a gate"),
    "parameter": _parameter,
    "form": _form,
    "invalid": _invalid,
    "value_error": _value_error,
    "assertion_error": _value_error,
}
"""The message for each Pydantic error type, except errors of a wrong type."""
