"""KS1xx · the YAML text."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS101",
        title="not YAML",
        explanation=(
            "The text cannot be read as YAML from here on, so this is the only problem of\n"
            "its kind that is shown. The place is where the parser noticed; the cause\n"
            "often stands in the line above: an indentation, a bracket, or a quote that\n"
            "is not closed."
        ),
        wrong="train: {epochs: 20",
        right="train: {epochs: 20}",
    ),
    Rule(
        code="KS102",
        title="not UTF-8",
        explanation=(
            "A spec is UTF-8, with or without a byte-order mark. Text in another encoding\n"
            "would come out differently from one machine to the next."
        ),
        wrong="description: caf<E9>        # a byte of Latin-1",
        right="description: café           # UTF-8",
    ),
    Rule(
        code="KS103",
        title="an invisible character",
        explanation=(
            "With control, zero-width or bidirectional characters, a text can differ from\n"
            "the text that a reviewer sees. In double quotes they can be written as escapes,\n"
            "which are visible. NUL cannot be part of a text."
        ),
        wrong='description: "left<U+2066>right"  # the character itself',
        right='description: "left\\u2066right"  # its escape',
    ),
    Rule(
        code="KS104",
        title="a tab",
        explanation=(
            "YAML forbids tabs in indentation, and elsewhere they look like spaces. In\n"
            "double quotes a tab is written `\\t`."
        ),
        wrong=("train:\n<TAB>epochs: 20"),
        right=("train:\n  epochs: 20"),
    ),
    Rule(
        code="KS105",
        title="too large",
        explanation=(
            "A spec has at most 1 MiB, 100 levels, 100,000 values, and 65,536 characters\n"
            "in one value. A larger file is an accident or an attack. Data belongs in\n"
            "separate files."
        ),
        wrong="a: [[[[[[…]]]]]]",
        right="data: {source: {csv: rows.csv}}",
    ),
    Rule(
        code="KS106",
        title="anchors, aliases and merge keys",
        explanation=(
            "`&name`, `*name` and `<<` are not part of the language: a few of them can\n"
            "expand to gigabytes, and their values are defined far from their uses. Use\n"
            "`params` for values and a block with arguments for steps."
        ),
        wrong=("network:\n  - dense: &hidden {units: 64}\n  - dense: *hidden"),
        right=('params: {units: 64}\nnetwork:\n  - dense: "${units}"\n  - dense: "${units}"'),
    ),
    Rule(
        code="KS107",
        title="tags and directives",
        explanation=(
            "Tags (`!name`, `!!str`) change what a value is, in some readers up to\n"
            "running code; `%` directives change how the file is read. A spec has\n"
            "neither. Quotes make a value text."
        ),
        wrong="version: !!str 1.0",
        right='version: "1.0.0"',
    ),
    Rule(
        code="KS108",
        title="several documents",
        explanation=(
            "A file holds one spec. A second `---` starts another document, which many\n"
            "readers skip silently."
        ),
        wrong=("kspec: 1\n---\nkspec: 1"),
        right="kspec: 1",
    ),
    Rule(
        code="KS109",
        title="a duplicate key",
        explanation=(
            "One mapping has the same key twice. Most YAML readers silently keep\nthe last one."
        ),
        wrong=("train:\n  epochs: 20\n  epochs: 30"),
        right=("train:\n  epochs: 30"),
    ),
    Rule(
        code="KS110",
        title="a key that is not plain",
        explanation="Keys are text on a single line: no lists, no mappings, no `?`.",
        wrong=("? [a, b]\n: 1"),
        right=("a: 1\nb: 1"),
    ),
    Rule(
        code="KS111",
        title="no mapping of sections",
        explanation=(
            "A spec is a mapping of sections (`kspec`, `name`, `inputs`, …). This file is\n"
            "empty, a list, or a single value."
        ),
        wrong="- kspec: 1",
        right="kspec: 1",
    ),
    Rule(
        code="KS112",
        title="a value that readers of YAML read differently",
        explanation=(
            "YAML 1.1 takes `no` for false, `012` for ten, `1:30` for ninety and\n"
            "`2024-01-01` for a date; YAML 1.2 does not. Both are in use, so such a value\n"
            "must be written unambiguously: `false`, `12`, or text in quotes. Numbers such\n"
            "as `1e3` are allowed."
        ),
        wrong="labels: [yes, no]",
        right='labels: ["yes", "no"]',
    ),
    Rule(
        code="KS113",
        title="a number beyond 64 bits",
        explanation="No format that kspec writes can hold the number.",
        wrong="seed: 99999999999999999999",
        right="seed: 7",
    ),
    Rule(
        code="KS114",
        title="a placeholder without quotes",
        explanation=(
            "Between braces or brackets, YAML takes the `{` of `${…}` for the start of a\n"
            "mapping. Quotes keep the text together; a number in it stays a number."
        ),
        wrong="- dense: {units: ${width}}",
        right='- dense: {units: "${width}"}',
    ),
    Rule(
        code="KS115",
        title="a spec that cannot be read",
        explanation=(
            "There is no such file, it is a folder or a special file, or its permissions\n"
            "forbid it. A spec is never read through a symbolic link: the lines that a\n"
            "message shows would then be those of a file that the author of the spec chose."
        ),
        wrong="kspec check modle.yaml",
        right="kspec check model.yaml",
    ),
    Rule(
        code="KS116",
        title="more problems than are listed",
        explanation=(
            "At most 500 problems of a spec are listed, in the order of the file; errors come\n"
            "before warnings. Correct these; the next check lists the rest."
        ),
        wrong="train: {epochs: 1, epoch1: 1, epoch2: 1, …}   # 2,000 unknown keys",
        right="train: {epochs: 1}",
        severity="warning",
    ),
)
