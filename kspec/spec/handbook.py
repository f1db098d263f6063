"""docs/diagnostics.md: every code, generated from the rules. ``python -m kspec.spec.handbook``
prints it."""

import sys
from itertools import groupby

from kspec.spec.codes import RULES
from kspec.spec.rule import Rule

FAMILIES = {
    "KS1": "The text",
    "KS2": "Keys and values",
    "KS3": "Params, expressions and blocks",
    "KS4": "The network",
    "KS5": "Data",
    "KS6": "Training",
    "KS7": "Targets, emission and parity",
    "KS8": "Gates and the build",
    "KS9": "The environment",
}
EXITS = {
    1: "a gate, parity or training failed",
    2: "the spec or the usage is wrong",
    3: "the environment",
    70: "a fault of kspec",
    130: "interrupted",
    143: "ended by a signal",
}
HEAD = """\
# Diagnostics

Every problem that kspec reports has a code that never changes its meaning. `kspec rule CODE`
explains one at the terminal. The exit code of a command is the highest exit code of its problems.
Warnings do not change it, unless the command has the option `--strict`.

<!-- written by `make docs`; do not edit -->
"""


def render() -> str:
    """Return the page in Markdown."""
    ordered = sorted(RULES.values(), key=lambda rule: rule.code)
    parts = [HEAD]
    for family, rules in groupby(ordered, key=lambda rule: rule.code[:3]):
        parts.append(f"## {FAMILIES[family]}\n")
        parts.extend(map(_entry, rules))
    return "\n".join(parts)


def _entry(rule: Rule) -> str:
    return f"""\
### {rule.code} · {rule.title}

{rule.explanation.strip()}

{_exit(rule)}

```yaml
{_commented("wrong", rule.wrong)}
{_commented("right", rule.right)}
```
"""


def _exit(rule: Rule) -> str:
    if rule.severity == "warning":
        return f"A warning. With `--strict` an error, exit code {rule.exit_code}."
    return f"Exit code {rule.exit_code}: {EXITS[rule.exit_code]}."


def _commented(heading: str, example: str) -> str:
    return f"# {heading}\n{example.strip()}\n"


if __name__ == "__main__":
    sys.stdout.write(render())
