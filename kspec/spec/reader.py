"""The YAML reader: it builds a tree of nodes with their places from libyaml's events.

PyYAML composes and constructs nothing, so that anchors cannot multiply, tags cannot name Python
objects, and depth cannot exhaust a stack.
"""

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from kspec.spec.diagnostics import Diagnostic, KspecError, Span
from kspec.spec.node import Node, Style, Value
from kspec.spec.scalars import RangeError, TrapError, resolve
from kspec.spec.syntax import explain

MAX_BYTES = 1 << 20
MAX_DEPTH = 100
MAX_NODES = 100_000
MAX_SCALAR = 1 << 16
MAX_PROBLEMS = 50

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Control, bidirectional, zero-width and line-separator characters, noncharacters, tags."""
TAB = re.compile(r"\t+")

Event: TypeAlias = Any
"""An event of PyYAML; its type stubs leave most fields out."""


def decode(data: bytes, file: str) -> str:
    """Return the text of a file: UTF-8, with or without a byte-order mark, any common line end.

    Raises KspecError for more than a mebibyte and for bytes that are not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise too_large(f"the file has {len(data):,} bytes, more than {MAX_BYTES:,}", file)
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").replace("\r\n", "\n")
        text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        problem = Diagnostic(
            "KS102",
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            span=Span(file, line, column, line, column + 1),
            help="save the file as UTF-8",
        )
        raise KspecError(problem, sources={file: text}) from None


def too_large(message: str, file: str) -> KspecError:
    """Return the error for a file that is too large for a spec."""
    help_ = "data and weights go into files of their own"
    return KspecError(Diagnostic("KS105", message, span=Span(file, 1, 1, 1, 1), help=help_))


def read(text: str, file: str) -> tuple[Node, tuple[Diagnostic, ...]]:
    """Return the root mapping of `text`, and the problems that did not stop the reader.

    Raises KspecError if no tree can be built.
    """
    reader = _Reader(file, text)
    return reader.run(), tuple(reader.problems)


@dataclass(slots=True)
class _Open:
    """A collection that is not complete yet, and the key whose value comes next."""

    node: Node
    key: tuple[str, Span] | None = None


@dataclass(slots=True)
class _Reader:
    file: str
    text: str
    problems: list[Diagnostic] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    root: Node | None = None
    documents: int = 0
    nodes: int = 0

    def run(self) -> Node:
        self._report_characters()
        try:
            for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            raise self._syntax(error) from None
        except yaml.YAMLError as error:  # libyaml's own reader, which has no marks
            raise self._refuse("KS101", str(error).splitlines()[0], self._at(0, 0)) from None
        if self.root is None or not isinstance(self.root.value, dict):
            raise self._no_mapping()
        return self.root

    def _take(self, event: Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.AliasEvent):
            raise self._anchor(event, f"`*{event.anchor}` is an alias")
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._start_node(event)

    def _start_document(self, event: Event) -> None:
        self.documents += 1
        span = self._span(event)
        if self.documents > 1:
            raise self._refuse(
                "KS108", "a second document starts here", span, "keep one spec in one file"
            )
        if event.tags or event.version:
            raise self._refuse("KS107", "a spec takes no `%` directives", span, "remove the line")

    def _start_node(self, event: Event) -> None:
        span = self._span(event)
        self._guard(event, span)
        frame = self.open[-1] if self.open else None
        if frame is not None and isinstance(frame.node.value, dict) and frame.key is None:
            frame.key = self._key(event, span, frame.node)
            return
        node = self._node(event, span, frame)
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append(_Open(node))

    def _guard(self, event: Event, span: Span) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._refuse("KS105", f"the file has more than {MAX_NODES:,} values", span)
        if isinstance(event, yaml.CollectionStartEvent) and len(self.open) >= MAX_DEPTH:
            raise self._refuse("KS105", f"nested deeper than {MAX_DEPTH} levels", span)
        if event.anchor is not None:
            raise self._anchor(event, f"`&{event.anchor}` is an anchor")
        if isinstance(event, yaml.ScalarEvent) and "\0" in event.value:
            raise self._refuse("KS103", "text cannot contain U+0000", span, "remove it")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_SCALAR:
            message = f"a value of {len(event.value):,} characters, more than {MAX_SCALAR:,}"
            raise self._refuse("KS105", message, self._at(span.line - 1, span.column - 1))
        if getattr(event, "tag", None) is not None:
            tag = self.text[event.start_mark.index :].split(maxsplit=1)[0]
            raise self._refuse(
                "KS107",
                f"`{tag}` is a tag",
                self._at(span.line - 1, span.column - 1, len(tag)),
                "remove it; quotes make a value text",
            )

    def _anchor(self, event: Event, message: str) -> KspecError:
        start = event.start_mark
        span = self._at(start.line, start.column, len(event.anchor or "") + 1)
        return self._refuse("KS106", message, span, "use `params`, or a block with arguments")

    def _key(self, event: Event, span: Span, mapping: Node) -> tuple[str, Span]:
        if not isinstance(event, yaml.ScalarEvent) or span.line != span.end_line:
            help_ = 'for text that begins with `{` or `[`, write quotes: "{…}"'
            message = "a key is a single line of text"
            raise self._refuse("KS110", message, self._at(span.line - 1, 0), help_)
        key = event.value
        if key == "<<" and event.implicit[0]:
            help_ = "use `params`, or a block with arguments"
            raise self._refuse("KS106", "`<<` is a merge key", span, help_)
        if key in mapping.mapping:
            first = mapping.mapping[key].key
            where = f" on line {first.line}" if first is not None else ""
            self._report("KS109", f"`{key}` is already written{where}", span, "keep one of the two")
        return key, span

    def _node(self, event: Event, span: Span, frame: _Open | None) -> Node:
        parent = frame.node if frame is not None else None
        step: str | int = ""
        key = None
        if frame is not None and frame.key is not None:
            step, key = frame.key
            frame.key = None
        elif parent is not None:
            step = len(parent.items)
        value, style = self._value(event, span)
        written = event.value if style == "plain" and not isinstance(value, str) else None
        node = Node(value, span, style, key, parent, step, written)
        if parent is None:
            self.root = node
        elif isinstance(parent.value, list):
            parent.value.append(node)
        elif isinstance(parent.value, dict) and step not in parent.value:
            parent.value[str(step)] = node
        return node

    def _value(self, event: Event, span: Span) -> tuple[Value, Style]:
        if isinstance(event, yaml.MappingStartEvent):
            return {}, "collection"
        if isinstance(event, yaml.SequenceStartEvent):
            return [], "collection"
        if event.style in ("|", ">"):
            return event.value, "block"
        if not event.implicit[0]:
            return event.value, "quoted"
        return self._resolve(event.value, span)

    def _resolve(self, text: str, span: Span) -> tuple[Value, Style]:
        try:
            return resolve(text), "plain"
        except TrapError as trap:
            self._report("KS112", trap.message, span, trap.help)
        except RangeError:
            self._report("KS113", "a number that 64 bits cannot hold", span)
        return None, "unknown"

    def _report_characters(self) -> None:
        for found in UNSEEN.finditer(self.text):
            name = f"U+{ord(found[0]):04X}"
            help_ = f'remove it, or write "\\u{ord(found[0]):04x}" in quotes'
            self._report("KS103", f"{name} is invisible", self._span_at(found.start()), help_)
        for found in TAB.finditer(self.text):
            span = self._span_at(found.start(), len(found[0]))
            self._report("KS104", "a tab", span, r'indent with spaces; in quotes, write "\t"')
        if self.problems:
            raise KspecError(*self.problems, sources={self.file: self.text})

    def _syntax(self, error: yaml.MarkedYAMLError) -> KspecError:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        lines = self.text.split("\n")
        if line >= len(lines):  # after a last line without a line end
            line, column = len(lines) - 1, len(lines[-1])
        before = lines[line][:column]
        code, why = explain(error.problem or "", before)
        if error.context_mark is not None and why.at_start:
            line, column = error.context_mark.line, error.context_mark.column
        span, help_ = self._at(line, column), why.help
        if code == "KS114":
            column = before.rindex("$")
            written = lines[line][column:].partition("}")[0] + "}"
            span, help_ = self._at(line, column, len(written)), f'{why.help} "{written}"'
        return self._refuse(code, why.message, span, help_)

    def _no_mapping(self) -> KspecError:
        if self.root is None or self.root.value is None:
            span = self._at(0, 0)
            return self._refuse("KS111", "the file is empty", span, "`kspec init` writes a spec")
        kind = "a list" if isinstance(self.root.value, list) else "a single value"
        span = self.root.span
        help_ = "start with `kspec: 1`"
        message = f"a spec is a mapping of sections, found {kind}"
        return self._refuse("KS111", message, self._at(span.line - 1, span.column - 1), help_)

    def _report(self, code: str, message: str, span: Span, help_: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, span=span, help=help_))
        if len(self.problems) >= MAX_PROBLEMS:
            raise KspecError(*self.problems, sources={self.file: self.text})

    def _refuse(self, code: str, message: str, span: Span, help_: str | None = None) -> KspecError:
        last = Diagnostic(code, message, span=span, help=help_)
        return KspecError(*self.problems, last, sources={self.file: self.text})

    def _at(self, line: int, column: int, width: int = 1) -> Span:
        """Return a span from zero-based marks."""
        return Span(self.file, line + 1, column + 1, line + 1, column + 1 + width)

    def _span_at(self, index: int, width: int = 1) -> Span:
        line = self.text.count("\n", 0, index)
        return self._at(line, index - (self.text.rfind("\n", 0, index) + 1), width)

    def _span(self, event: Event) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
