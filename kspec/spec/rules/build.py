"""KS8xx · gates, build and store."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS801",
        title="gate not met",
        explanation="A metric of an artifact is outside the bound that the spec sets. Nothing is\n"
        "shipped; the results of all stages are kept, so that the next build goes on from there.",
        wrong='gates: {accuracy: ">= 0.999"}',
        right='gates: {accuracy: ">= 0.97"}',
        exit_code=1,
    ),
    Rule(
        code="KS802",
        title="gate on an unknown metric",
        explanation="Every artifact has `size`, `latency`, `flips` and `worst_error`; labels\n"
        "have `accuracy`, numbers `mean_absolute_error` and `root_mean_squared_error`, with the\n"
        "output's name before it where there are several outputs: `age_mean_absolute_error`.",
        wrong='gates: {acuracy: ">= 0.97"}',
        right='gates: {accuracy: ">= 0.97"}',
    ),
    Rule(
        code="KS803",
        title="gate for an unknown target",
        explanation="The part before the dot must be a target of the spec, or a glob that matches\n"
        "one.",
        wrong='targets: {android: {}}\ngates: {ios.size: "<= 1 MB"}',
        right='targets: {android: {}}\ngates: {android.size: "<= 1 MB"}',
    ),
)
