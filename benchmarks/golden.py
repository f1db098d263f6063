"""Random single-channel faults in each artifact of the examples, against their golden rows alone.

    python -m benchmarks.golden [COUNT]

Each example is built. COUNT random channels (100 by default) are drawn from the channels that any
row of the test split or any golden row shows, and scaled by 1.05, one at a time. Every format
writes and runs the faulty graph, and the outputs are compared with the golden rows by the tolerance
in the bundle, without any hash. Prints the number of detected faults for each example and format;
ends with 1 if one was missed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from kspec.pipeline.compiled import load_compiled
from kspec.targets.registry import formats
from tests.pipeline.faults import undetected

EXAMPLES = ("digits", "breast-cancer")
HOME = Path(__file__).parent.parent / "examples"


def main(count: int) -> int:
    import kspec

    missed = 0
    for example in EXAMPLES:
        with tempfile.TemporaryDirectory(prefix="golden-") as folder:
            spec = Path(folder, example)
            shutil.copytree(HOME / example, spec, ignore=shutil.ignore_patterns(".kspec", "dist"))
            kspec.build(spec / "model.yaml")
            (made,) = {each.parent for each in spec.glob(".kspec/compile/*/metrics.json")}
            compiled = load_compiled(made)
            both = {
                name: np.concatenate([array, compiled.golden.inputs[name]])
                for name, array in compiled.rows.inputs.items()
            }
            able = replace(compiled.golden, inputs=both)
            for format_ in formats():
                place = Path(folder, format_)
                place.mkdir()
                found = undetected(compiled.graph, compiled.golden, format_, count, place, able)
                missed += len(found)
                print(
                    f"{example:15} {format_:12} {count - len(found)} of {count}", *found, flush=True
                )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
