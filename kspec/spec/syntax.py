"""Explanations of libyaml's errors, and what to write instead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """A headline and a help."""

    message: str
    help: str | None = None
    at_start: bool = False
    """Whether the cause is at the start of the faulty part, not where the parser noticed it."""


LINED_UP = "keys of one mapping start in the same column; those below it are indented by two more"

EXPLANATIONS: dict[str, Explanation] = {
    "mapping values are not allowed": Explanation(
        "a `:` that does not start a value",
        "check the indentation above; text that holds `: ` goes in quotes",
    ),
    "did not find expected key": Explanation("this does not line up with the keys above", LINED_UP),
    "could not find expected ':'": Explanation(
        "a key without `:`",
        "write `key: value`, and quote text that goes over several lines",
        at_start=True,
    ),
    "did not find expected ',' or '}'": Explanation(
        "a `{` that is not closed",
        "end the mapping with `}`, and separate its entries by `,`",
        at_start=True,
    ),
    "did not find expected ',' or ']'": Explanation(
        "a `[` that is not closed",
        "end the list with `]`, and separate its items by `,`",
        at_start=True,
    ),
    "did not find expected '-' indicator": Explanation(
        "this does not line up with the items of the list",
        "items start with `- ` in the same column",
    ),
    "block sequence entries are not allowed": Explanation(
        "a list that starts behind a key", "put `- ` on a line of its own, below the key"
    ),
    "found unexpected end of stream": Explanation(
        "a quote that is not closed",
        "end the text with the same quote it starts with",
        at_start=True,
    ),
    "found unexpected document indicator": Explanation("a quote that is not closed", at_start=True),
    "found character that cannot start any token": Explanation(
        "a value cannot start with this character", "put the value in quotes"
    ),
    "found unknown escape character": Explanation(
        "an escape that YAML does not know",
        r"write \\ for a backslash, or use single quotes: \'a\b\'",
    ),
    "did not find expected node content": Explanation("a value is missing here"),
    "did not find expected alphabetic or numeric character": Explanation(
        "text cannot start with `*` or `&`", "put the value in quotes"
    ),
    "found undefined tag handle": Explanation("tags are not part of a spec", "remove the tag"),
    "did not find expected <document start>": Explanation(
        "this does not line up with the keys above", LINED_UP
    ),
}

PLACEHOLDER = Explanation(
    "`${…}` between braces or brackets needs quotes",
    "YAML takes its `{` for a mapping; write",
)


def explain(problem: str, before: str) -> tuple[str, Explanation]:
    """Return the code and the explanation of libyaml's `problem`; `before` is the line up to it."""
    if before.endswith(("$", "${")) and problem.startswith("did not find expected ','"):
        return "KS114", PLACEHOLDER
    for start, explanation in EXPLANATIONS.items():
        if problem.startswith(start):
            return "KS101", explanation
    return "KS101", Explanation(problem or "this is not YAML")
