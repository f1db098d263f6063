"""The arithmetic of `${…}`: numbers, names, operators and four functions, without Python's `eval`.

    expression = expression ("+" | "-" | "*" | "/" | "//" | "%" | "**") expression
               | ("-" | "+") expression | "(" expression ")" | function "(" expression, … ")"
               | name | number

Operators have Python's precedence and rounding, except `/`, whose result is a whole number if two
whole numbers divide without remainder. Results stay within 64 bits.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from kspec.spec.node import Node, Value
from kspec.spec.scalars import LARGEST_INTEGER
from kspec.spec.suggestions import suggest

MAX_LENGTH = 1000
MAX_DEPTH = 50
MAX_DIGITS = 400
"""Maximum number of digits in `round`; a float has at most 324 decimal places."""
Number = int | float

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<operator>\*\*|//|[-+*/%(),])|(?P<other>\S))",
    re.ASCII,
)


class ExpressionError(ValueError):
    """A problem of an expression; `start` and `end` are character offsets into its text."""

    def __init__(
        self, code: str, message: str, start: int, end: int, help_: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help_
        self.start, self.end = start, max(end, start + 1)


class UnknownValueError(Exception):
    """The expression uses a value that could not be computed and was already reported."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression: `kind` is number, name, operator or end."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset after the token."""
        return self.start + len(self.text)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of `text` and a final token of kind `end`."""
    if len(text) > MAX_LENGTH:
        message = f"an expression of {len(text):,} characters, more than {MAX_LENGTH:,}"
        raise ExpressionError("KS303", message, 0, 1)
    tokens: list[Token] = []
    for found in TOKEN.finditer(text):
        kind = str(found.lastgroup)
        token = Token(kind, found[kind], found.start(kind))
        if kind == "other":
            message = f"`{token.text}` is not part of an expression"
            help_ = "an expression holds numbers, names, + - * / // % **, parentheses"
            raise ExpressionError("KS301", message, token.start, token.end, help_)
        tokens.append(token)
    return [*tokens, Token("end", "", len(text))]


def literal(text: str) -> Number:
    """Return the value of a number token."""
    return int(text[:40]) if text.isdigit() else float(text)


def divide(left: Number, right: Number) -> Number:
    """Return `left / right`; whole numbers that divide without remainder have a whole result."""
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def power(left: Number, right: Number) -> Number:
    """Return `left ** right`; raise OverflowError before computing a power that is too large."""
    if isinstance(left, int) and isinstance(right, int) and right >= 0:
        if abs(left) > 1 and right > 64:
            raise OverflowError
        return int(left**right)
    result: object = left**right
    if not isinstance(result, float):
        raise ValueError("a root of a negative number")
    return result


def rounded(value: Number, *digits: Number) -> Number:
    """Return `round(value, digits)`; raise ValueError first if `digits` is out of bounds."""
    if any(not isinstance(each, int) or abs(each) > MAX_DIGITS for each in digits):
        raise ValueError(f"`round` takes a whole number of digits, at most {MAX_DIGITS}")
    return round(value, *map(int, digits))


OPERATORS: Mapping[str, tuple[int, int, Callable[[Number, Number], Number]]] = {
    "+": (10, 11, operator.add),
    "-": (10, 11, operator.sub),
    "*": (20, 21, operator.mul),
    "/": (20, 21, divide),
    "//": (20, 21, operator.floordiv),
    "%": (20, 21, operator.mod),
    "**": (41, 40, power),
}
"""Each operator's binding power to the left and to the right, and its function."""
UNARY = 30

FUNCTIONS: Mapping[str, Callable[..., Number]] = {
    "min": min,
    "max": max,
    "round": rounded,
    "int": int,
}


class Evaluator:
    """A Pratt parser that evaluates while it parses."""

    def __init__(self, text: str, names: Mapping[str, Node]) -> None:
        self.tokens = tokenize(text)
        self.names = names
        self.place = 0
        self.depth = 0

    def run(self) -> Value:
        """Return the value of the whole text; a single name may have any kind of value."""
        first, second = self.tokens[0], self.tokens[min(1, len(self.tokens) - 1)]
        if first.kind == "name" and second.kind == "end":
            return self.look_up(first).value
        return self.total()

    def total(self) -> Number:
        """Return the value of the whole text, a number."""
        value = self.expression(0)
        rest = self.tokens[self.place]
        if rest.kind != "end":
            self.fail(rest, f"`{rest.text}` follows where the expression should end")
        return value

    def expression(self, power_: int) -> Number:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            token = self.tokens[self.place]
            raise ExpressionError(
                "KS303", f"nested deeper than {MAX_DEPTH} levels", token.start, token.end
            )
        left = self.prefix()
        while (token := self.tokens[self.place]).text in OPERATORS:
            left_power, right_power, compute = OPERATORS[token.text]
            if left_power < power_:
                break
            self.place += 1
            left = self.compute(token, compute, left, self.expression(right_power))
        self.depth -= 1
        return left

    def prefix(self) -> Number:
        token = self.tokens[self.place]
        self.place += 1
        if token.kind == "number":
            return self.compute(token, literal, token.text)
        if token.kind == "name":
            if token.text in FUNCTIONS and self.tokens[self.place].text == "(":
                return self.call(token)
            return self.number(token)
        if token.text in ("-", "+"):
            value = self.expression(UNARY)
            return -value if token.text == "-" else value
        if token.text == "(":
            value = self.expression(0)
            self.close(token)
            return value
        if token.kind == "end":
            return self.fail(token, "a number or a name is missing here")
        return self.fail(token, f"`{token.text}` stands where a number or a name belongs")

    def call(self, function: Token) -> Number:
        opening = self.tokens[self.place]
        self.place += 1
        arguments = [self.expression(0)]
        while self.tokens[self.place].text == ",":
            self.place += 1
            arguments.append(self.expression(0))
        self.close(opening)
        return self.compute(function, FUNCTIONS[function.text], *arguments)

    def close(self, opening: Token) -> None:
        if self.tokens[self.place].text != ")":
            self.fail(opening, "`(` is not closed")
        self.place += 1

    def look_up(self, token: Token) -> Node:
        node = self.names.get(token.text)
        if node is not None and node.style == "unknown":
            raise UnknownValueError(token.text)
        if node is not None:
            return node
        help_ = suggest(token.text, self.names, none="`params` and arguments of blocks have names")
        raise ExpressionError(
            "KS302", f"unknown name `{token.text}`", token.start, token.end, help_
        )

    def number(self, token: Token) -> Number:
        value = self.look_up(token).value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        message = f"`{token.text}` is not a number, so arithmetic cannot use it"
        raise ExpressionError("KS303", message, token.start, token.end)

    def compute(
        self, token: Token, compute: Callable[..., Number], *values: Number | str
    ) -> Number:
        try:
            result = compute(*values)
        except ZeroDivisionError:
            message = "a division by zero"
        except OverflowError:
            message = "a result that 64 bits cannot hold"
        except TypeError:
            message = f"`{token.text}` does not take {len(values)} values"
        except ValueError as error:
            message = str(error)
        else:
            if math.isfinite(result) and (
                isinstance(result, float) or abs(result) <= LARGEST_INTEGER
            ):
                return result
            message = "a result that 64 bits cannot hold"
        raise ExpressionError("KS303", message, token.start, token.end)

    def fail(self, token: Token, message: str) -> NoReturn:
        raise ExpressionError("KS301", message, token.start, token.end)


def evaluate(text: str, names: Mapping[str, Node] | None = None) -> Value:
    """Return the value of an expression such as `2 * width`; raises ExpressionError."""
    return Evaluator(text, names if names is not None else {}).run()


def evaluate_number(text: str) -> float:
    """Return the value of arithmetic without names, such as `1/16`; raises ExpressionError."""
    return Evaluator(text, {}).total()
