"""Every rule of the spec is broken by a spec, and said as its golden file has it."""

from pathlib import Path

import pytest

from kspec.schemas.base import Model
from kspec.spec import KspecError, load, render
from kspec.spec.codes import FAMILIES, RULES, join
from kspec.spec.rule import Rule
from tests.spec.bad_specs import BAD, MANY, WARNED, spec

UNREADABLE = "KS115"
TOO_MANY = "KS116"
"""Judged in `tests/spec/test_growth.py`."""
OF_FORMATS = "KS436"
"""Judged with the formats of the targets, in `tests/spec/test_sizes.py`."""
OWN = [rule.code for prefix in ("KS1", "KS2", "KS3", "KS4") for rule in FAMILIES[prefix]]


class Android(Model):
    """Options of a target."""

    quantize: str = "none"
    """How to quantize."""


def refuse(path: Path, overrides: dict[str, str], *, allow_python: bool = False) -> KspecError:
    with pytest.raises(KspecError) as caught:
        load(
            path,
            overrides=overrides,
            targets={"android": Android},
            allow_python=allow_python,
        )
    return caught.value


@pytest.mark.parametrize("code", BAD)
def test_each_rule_is_broken_by_a_spec(code, golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("x,y\n1,2\n")
    Path("model.yaml").write_bytes(BAD[code].data)
    Path("layers.py").write_text(BAD[code].python)
    allowed = bool(BAD[code].python)
    error = refuse(Path("model.yaml"), BAD[code].overrides, allow_python=allowed)
    assert {each.code for each in error.diagnostics} == {code}
    assert all(each.span is not None for each in error.diagnostics)
    assert error.exit_code == RULES[code].exit_code == 2
    golden(f"{code}.txt", render(error))


@pytest.mark.parametrize("code", WARNED)
def test_each_warning_is_told_of_a_sound_spec(code, golden, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_bytes(WARNED[code].data)
    document = load(Path("model.yaml"))
    assert {each.code for each in document.warnings} == {code}
    golden(f"{code}.txt", render(KspecError(*document.warnings, document=document)))


def test_no_word_of_pydantics_comes_out(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(MANY)
    error = refuse(path, {"train.epochs": "1e1", "network.9": "dense 3"})
    assert len(error.diagnostics) > 40
    for word in ("nput should", "equired", "a valid", "alue error", "Model", "ermitted", "factory"):
        assert word not in render(error)


def test_no_rule_is_without_a_spec():
    assert set(OWN) == {*BAD, *WARNED, UNREADABLE, TOO_MANY, OF_FORMATS}


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "model.yaml").write_text("kspec: 1")
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "modle.yaml", "there is no file")):
        (diagnostic,) = refuse(path, {}).diagnostics
        assert diagnostic.code == UNREADABLE
        assert words in diagnostic.message
    assert diagnostic.help == f"did you mean `{tmp_path / 'model.yaml'}`?"


def test_paths_do_not_leave_the_folder_by_links(tmp_path):
    folder = tmp_path / "spec"
    folder.mkdir()
    (tmp_path / "rows.csv").write_text("x\n")
    (folder / "rows.csv").symlink_to(tmp_path / "rows.csv")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "model.yaml").write_text(spec(data="data: {source: {csv: [rows.csv, loop]}}"))
    error = refuse(folder / "model.yaml", {})
    assert [each.span.column for each in error.diagnostics] == [23, 33]
    assert "symbolic link" in error.diagnostics[0].message
    assert error.diagnostics[0].code == "KS210"


def test_every_rule_explains_itself():
    for rule in RULES.values():
        assert rule.title[0].islower() or rule.title.split()[0].isupper(), rule.code
        assert 1 <= rule.explanation.count("\n") + 1 <= 6, rule.code
        assert rule.wrong
        assert rule.right
        assert rule.wrong != rule.right


def test_codes_are_unique_within_their_family():
    rule = Rule(code="KS101", title="t", explanation="e", wrong="w", right="r")
    with pytest.raises(ValueError, match="both 't' and 't'"):
        join({"KS1": (rule, rule)})
    with pytest.raises(ValueError, match="stands in the family KS2"):
        join({"KS2": (rule,)})
