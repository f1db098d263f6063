"""The command line."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from . import SPEC, EngineError, InputError, Model
from .rows import Row, dump, parse, read_csv
from .self_test import check
from .service import serve

_FAILED = 1
_USAGE = 2


def main() -> int:
    """Return the exit status: 0 for success, 1 if a row has no answer or the self-test fails, 2 for
    wrong usage."""
    given = _parser().parse_args()
    try:
        return int(given.run(given))
    except (EngineError, OSError) as error:
        print(f"{SPEC.name}: {error}", file=sys.stderr)
        return _USAGE


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--engine", choices=sorted(SPEC.artifacts), default=SPEC.engine)
    common.add_argument("--threads", type=int, default=SPEC.threads)
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}")
    commands = parser.add_subparsers(required=True)
    predict = commands.add_parser(
        "predict", parents=[common], help="answer rows, one line of JSON each"
    )
    predict.add_argument(
        "sources", nargs="+", help="pictures, CSV files with a header, or - for lines of JSON"
    )
    predict.set_defaults(run=_predict)
    test = commands.add_parser("self-test", parents=[common], help="test the bundle here")
    test.set_defaults(run=_self_test)
    service = commands.add_parser(
        "serve", parents=[common], help="answer lines of JSON over a Unix socket"
    )
    service.add_argument("--socket", type=Path, help="path; default: systemd's socket")
    service.set_defaults(run=_serve)
    return parser


def _predict(given: argparse.Namespace) -> int:
    # End without an error if the reader of the output has ended.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    model = Model(given.engine, given.threads)
    status = 0
    for source in given.sources:
        for number, row in enumerate(_rows(source), start=1):
            try:
                if isinstance(row, InputError):
                    raise row
                line = dump(model.predict(row))  # type: ignore[arg-type]
            except InputError as error:
                line = json.dumps({"error": f"{source}, row {number}: {error}"})
                status = _FAILED
            print(line, flush=source == "-")
    return status


def _rows(source: str) -> Iterator[Row | InputError]:
    try:
        if source == "-":
            yield from _parsed()
        elif source.lower().endswith(".csv"):
            yield from read_csv(SPEC, Path(source))
        else:
            yield _from_file(source)
    except InputError as error:
        yield error


def _parsed() -> Iterator[Row | InputError]:
    for line in sys.stdin.buffer:
        try:
            yield parse(SPEC, line)
        except InputError as error:
            yield error


def _from_file(source: str) -> Row:
    if len(SPEC.inputs) != 1 or not SPEC.inputs[0].steps:
        raise InputError("the model does not take a single file: use a CSV file or - for JSON")
    return {SPEC.inputs[0].name: Path(source)}


def _self_test(given: argparse.Namespace) -> int:
    report = check(SPEC, given.engine, given.threads)
    print(report.line())
    return 0 if report.passed else _FAILED


def _serve(given: argparse.Namespace) -> int:
    serve(Model(given.engine, given.threads), given.socket)
    return 0


if __name__ == "__main__":
    sys.exit(main())
