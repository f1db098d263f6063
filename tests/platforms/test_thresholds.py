"""Binary outputs decide at the threshold of the description, in the clients that run here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from kspec.features.decision import Decision
from tests.platforms import jvm, service, web
from tests.platforms.damage import about_of

LABELS = ("no", "yes")
DECISIONS = (Decision.binary(LABELS), Decision.binary(LABELS, "logits"))
VALUES = (-2.0, -0.2, 0.0, 0.2, 0.5, 0.6)


def expected(decision: Decision) -> list[tuple[str, float]]:
    """The label, and the probability of the second one, for each of the values."""
    values = np.array(VALUES)
    positive = 1 / (1 + np.exp(-values)) if decision.scores == "logits" else values
    return list(zip(decision.decide(values[:, None]), positive.tolist(), strict=True))


def output(kind: type, decision: Decision) -> Any:
    logits = decision.scores == "logits"
    given: Mapping[str, Any] = {"name": "x", "dtype": "float32", "shape": (1,)}
    return kind(**given, labels=decision.labels, threshold=decision.threshold, logits=logits)


@pytest.mark.parametrize("decision", DECISIONS, ids=["probabilities", "logits"])
def test_python_clients(bundles: Path, decision: Decision) -> None:
    server = service.load(bundles / "digits/server", "server_thresholds")
    given = output(service.part(server, "signature").Output, decision)
    values = np.array(VALUES)[:, None]
    shares = given.probabilities(values)[:, 1].tolist()
    assert [*zip(given.decide(values), map(pytest.approx, shares), strict=True)] == expected(
        decision
    )
    client = board(bundles / "digits/raspberry_pi")
    given = output(service.part(client, "signature").Output, decision)
    found = [service.part(client, "client").answer(given, np.array([each])) for each in VALUES]
    shares = [each.probabilities["yes"] for each in found]
    labels = [each.label for each in found]
    assert [*zip(labels, map(pytest.approx, shares), strict=True)] == expected(decision)


def board(bundle: Path) -> ModuleType:
    """The package of a Raspberry Pi's bundle under another name."""
    import importlib.util
    import sys

    place = bundle / f"{about_of(bundle)['name']}_model/__init__.py"
    spec = importlib.util.spec_from_file_location(
        "board_thresholds", place, submodule_search_locations=[str(place.parent)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["board_thresholds"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@web.needed(web.missing())
@pytest.mark.parametrize("decision", DECISIONS, ids=["probabilities", "logits"])
def test_the_browser(bundles: Path, decision: Decision) -> None:
    described = {
        "name": "x",
        "shape": ["batch", 1],
        "labels": LABELS,
        "threshold": decision.threshold,
        "logits": decision.scores == "logits",
    }
    script = (
        'import { interpret } from "./lib/answers.js";'
        f"const found = {json.dumps(VALUES)}.map((value) => interpret([{json.dumps(described)}],"
        ' new Map([["x", { data: [value], shape: [1] }]])).x);'
        "console.log(JSON.stringify(found.map((each) => [each.label, each.probabilities.yes])));"
    )
    done = web.node("--input-type=module", "-e", script, folder=bundles / "digits/browser")
    assert done.returncode == 0, done.stderr
    found = [(label, pytest.approx(share)) for label, share in json.loads(done.stdout)]
    assert found == expected(decision)


def test_the_jvm(bundles: Path, tmp_path: Path) -> None:
    project, _ = jvm.built(bundles, "digits")
    values = ", ".join(f"{each}f" for each in VALUES)
    lines = [
        f'new LabelOutput("x", true, {each.threshold}, {json.dumps(each.scores == "logits")},'
        ' java.util.List.of("no", "yes"))'
        for each in DECISIONS
    ]
    source = tmp_path / "Thresholds.java"
    source.write_text(f"""\
package kspec.digits;

final class Thresholds {{
    public static void main(String[] arguments) {{
        for (LabelOutput output : new LabelOutput[] {{{", ".join(lines)}}}) {{
            for (float value : new float[] {{{values}}}) {{
                Classification found = output.classification(new float[] {{value}}, 0);
                System.out.println(found.label() + " " + found.probability("yes"));
            }}
        }}
    }}
}}
""")
    jvm.compile_java([source], tmp_path / "out", *jvm.classes(project))
    said = jvm.java("kspec.digits.Thresholds", tmp_path / "out", *jvm.classes(project))
    found = [line.split() for line in said.splitlines()]
    pairs = [(label, pytest.approx(float(share))) for label, share in found]
    assert pairs == [each for decision in DECISIONS for each in expected(decision)]
