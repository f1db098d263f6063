"""Specs whose data is wrong, as people write them: `kspec check` says all of it, with the names."""

import re

import numpy as np
import pytest

POINTS = "x1,x2,place\n" + "0.5,0.25,inside\n1.5,-2,outside\n" * 20
PENGUINS = "island,bill,mass,sex,species\n" + (
    "Torgersen,39.1,3750,male,Adelie\nBiscoe,,,,Gentoo\nDream,46.5,3500,female,Chinstrap\n" * 10
)
SUN = "YEAR,SUNACTIVITY\n" + "".join(f"{1700 + i},{i % 11}.5\n" for i in range(60))


def spec(source: str, inputs: str, outputs: str, *steps: str, more: str = "") -> str:
    network = "".join(f"  - {step}\n" for step in steps)
    return (
        f"kspec: 1\nname: m\ndata:\n  source: {source}\n{more}inputs:\n  {inputs}\n"
        f"outputs:\n  {outputs}\nnetwork:\n{network}train: {{epochs: 2}}\n"
        "targets: {browser: {}}\n"
    )


PLACE = (
    "place: {binary: [outside, inside]}",
    "dense: {units: 1, activation: sigmoid}\n    name: place",
)
NEXT = ("next: {number: 1, column: SUNACTIVITY}", "dense: 1\n    name: next")
CASES: dict[str, tuple[str, str, list[str]]] = {
    "four kinds of fault in one file": (
        POINTS + "abc,0.5,inside\n,1,inside\n1,1,\n1,1,Inside\nx,y,no\n",
        spec("{csv: rows.csv}", "point: {number: 2, columns: [x1, x2]}", *PLACE),
        [
            "KS520 rows.csv:42: 'abc' is not a number in the column 'x1' of the input 'point'; 2",
            "KS520 rows.csv:46: 'y' is not a number in the column 'x2' of the input 'point'",
            "KS521 rows.csv:43: no finite number in the column 'x1' of the input 'point'",
            "KS521 rows.csv:44: no value in the column 'place' of the output",
            "KS522 rows.csv:45: 'Inside' is not a label in the column 'place' of the output",
        ],
    ),
    "words where numbers are wanted": (
        PENGUINS,
        spec(
            "{csv: rows.csv}",
            "numbers: {number: 2, columns: [bill, mass], normalize: true}\n"
            "  island: {number: 1}\n  sex: number",
            "species: {category: [Adelie, Gentoo, Chinstrap]}",
            "concatenate: {}\n    from: [numbers, island, sex]",
            "dense: {units: 3, activation: softmax}\n    name: species",
        ),
        [
            "KS521 rows.csv:3: no finite number in the column 'bill' of the input 'numbers'; 10",
            "KS521 rows.csv:3: no finite number in the column 'mass' of the input 'numbers'; 10",
            "KS520 rows.csv:2: 'Torgersen' is not a number in the column 'island' of the input",
            "KS520 rows.csv:2: 'male' is not a number in the column 'sex' of the input 'sex'; 20",
            "KS521 rows.csv:3: no finite number in the column 'sex' of the input 'sex'; 10 of 30",
        ],
    ),
    "a size that the columns do not make": (
        SUN,
        spec("{csv: rows.csv}", "past: {number: 3, columns: [YEAR, SUNACTIVITY]}", *NEXT),
        [
            "KS511 the input 'past' takes 3 numbers a row, its 2 columns hold 2 numbers",
            "KS512 the input 'past' reads 'SUNACTIVITY', the truth of the output 'next'",
        ],
    ),
    "a series in one column": (
        SUN,
        spec(
            "{csv: rows.csv}",
            "past: {tensor: [24, 1], columns: SUNACTIVITY}",
            "next: {number: 3, column: SUNACTIVITY}",
            "gru: 4",
            "dense: 3\n    name: next",
        ),
        [
            "KS512 the input 'past' reads 'SUNACTIVITY', the truth of the output 'next'",
            "KS511 the input 'past' takes 24 × 1 numbers a row, the column 'SUNACTIVITY' holds a",
            "KS511 the output 'next' takes 3 numbers a row, the column 'SUNACTIVITY' holds",
        ],
    ),
    "the truth among the inputs": (
        SUN,
        spec("{csv: rows.csv}", "past: {number: 1, columns: SUNACTIVITY}", *NEXT),
        ["KS512 the input 'past' reads 'SUNACTIVITY', the truth of the output 'next'"],
    ),
    "the truth among the inputs by a glob": (
        SUN,
        spec("{csv: rows.csv}", 'past: {number: 2, columns: "*"}', *NEXT),
        ["KS512 the input 'past' reads 'SUNACTIVITY', the truth of the output 'next'"],
    ),
    "the truth beside a glob": (
        PENGUINS.replace(",,,", ",1,1,x"),
        spec(
            "{csv: rows.csv}",
            'numbers: {number: 2, columns: ["bil*", mass]}',
            "mass: number",
            "dense: 1\n    name: mass",
        ),
        ["KS512 the input 'numbers' reads 'mass', the truth of the output 'mass'"],
    ),
    "semicolons": (
        POINTS.replace(",", ";"),
        spec("{csv: rows.csv}", "point: {number: 2, columns: [x1, x2]}", *PLACE),
        ["KS551 the cells of the data are separated by semicolons, not by commas"],
    ),
    "a kind of input to come": (
        PENGUINS,
        spec(
            "{csv: rows.csv}",
            "island: {category: [Torgersen, Biscoe, Dream]}\n  sex: {category: [male, female]}",
            "species: {category: [Adelie, Gentoo, Chinstrap]}",
            "concatenate: {}\n    from: [island, sex]",
            "dense: {units: 3, activation: softmax}\n    name: species",
        ),
        [
            "KS221 inputs of the kind `category` are not read yet",
            "KS221 inputs of the kind `category` are not read yet",
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_check_says_all_of_it(kspec, name):
    rows, text, expected = CASES[name]
    (kspec.folder / "rows.csv").write_text(rows)
    (kspec.folder / "model.yaml").write_text(text)
    done = kspec("check", "model.yaml")
    assert done.exit_code == 2
    found = re.findall(r"^model\.yaml:\d+:\d+: (KS.*)$", done.stdout, re.MULTILINE)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))


def test_rows_that_are_not_kept_apart_are_a_warning(kspec):
    text = spec(
        "{csv: rows.csv}",
        "point: {number: 2, columns: [x1, x2]}",
        *PLACE,
        more="  split: {validation: 0, test: 0}\n",
    )
    (kspec.folder / "rows.csv").write_text(POINTS)
    (kspec.folder / "model.yaml").write_text(text)
    done = kspec("check", "model.yaml")
    assert done.exit_code == 0
    assert "model.yaml:5:3: KS552 warning: no rows are kept apart" in done.stdout
    assert kspec("check", "model.yaml", "--strict").exit_code == 2


def test_an_archive_of_series_is_sound(kspec):
    """Arrays [rows, time, 1], whole numbers as labels, and a column that splits."""
    rng = np.random.default_rng(0)
    split = np.array(["train", "validation", "test", "train"])[np.arange(40) % 4]
    arrays = {"past": rng.random((40, 24, 1)), "next": rng.random((40, 3)), "up": np.arange(40) % 2}
    np.savez(kspec.folder / "rows.npz", split=split, **arrays)
    text = spec(
        "{npz: rows.npz}",
        "past: {tensor: [time, 1], normalize: true}",
        'next: {number: 3}\n  up: {binary: ["0", "1"]}',
        "gru: 4\n    name: state",
        "dense: 3\n    name: next\n    from: state",
        "dense: {units: 1, activation: sigmoid}\n    name: up\n    from: state",
        more="  split: {column: split}\n",
    )
    (kspec.folder / "model.yaml").write_text(text)
    assert kspec("check", "model.yaml").stdout == "model.yaml: ok\n"
    (kspec.folder / "model.yaml").write_text(text.replace("[time, 1]", "[time, 2]"))
    wrong = kspec("check", "model.yaml").stdout
    assert "KS511 the input 'past' takes time × 2 numbers a row" in wrong
    assert "holds 24 × 1 numbers" in wrong
