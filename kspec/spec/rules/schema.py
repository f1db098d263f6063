"""KS2xx · sections, keys and values."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS201",
        title="an unknown key",
        explanation=(
            "The key is not allowed here. Unknown keys are not ignored: a misspelt option\n"
            "would otherwise silently keep its default."
        ),
        wrong="train: {epochs: 20, batchsize: 64}",
        right="train: {epochs: 20, batch_size: 64}",
    ),
    Rule(
        code="KS202",
        title="a missing key",
        explanation="A key that has no default is missing.",
        wrong="train: {batch_size: 64}",
        right="train: {epochs: 20, batch_size: 64}",
    ),
    Rule(
        code="KS203",
        title="a value of the wrong kind",
        explanation=(
            "The value is text where a number is expected, a number where text is\n"
            "expected, and so on. Nothing is converted silently; a whole number may stand\n"
            "for a number with a fraction."
        ),
        wrong='train: {epochs: "20"}',
        right="train: {epochs: 20}",
    ),
    Rule(
        code="KS204",
        title="not one of the choices",
        explanation="The value must be one of a few words.",
        wrong="- conv2d: {filters: 8, kernel_size: 3, padding: sam}",
        right="- conv2d: {filters: 8, kernel_size: 3, padding: same}",
    ),
    Rule(
        code="KS205",
        title="a number out of bounds",
        explanation="The number is too small or too large for what it means.",
        wrong="train: {epochs: 0}",
        right="train: {epochs: 1}",
    ),
    Rule(
        code="KS206",
        title="a list or text of the wrong length",
        explanation=(
            "The list has too few or too many items, or the text too few or too many\ncharacters."
        ),
        wrong="outputs: {animal: {category: {labels: [cat]}}}",
        right="outputs: {animal: {category: {labels: [cat, dog]}}}",
    ),
    Rule(
        code="KS207",
        title="text of the wrong form",
        explanation=(
            "The text is not a name, a version or a path, and one is expected. Names\n"
            "have letters, digits, `-` and `_` and begin with a letter; versions are\n"
            "`major.minor.patch`; paths are relative to the spec, with forward slashes."
        ),
        wrong="name: 2nd model",
        right="name: second-model",
    ),
    Rule(
        code="KS208",
        title="one choice, by its key",
        explanation=(
            "A choice between alternatives is a mapping with one key, such as\n"
            "`{csv: digits.csv}`. This one has no key of an alternative, or more than one."
        ),
        wrong="source: {csv: a.csv, parquet: a.parquet}",
        right="source: {csv: a.csv}",
    ),
    Rule(
        code="KS209",
        title="values that do not go together",
        explanation="Each value is valid alone, but the values contradict each other.",
        wrong="split: {column: part, test: 0.2}",
        right="split: {column: part}",
    ),
    Rule(
        code="KS210",
        title="a path out of the folder",
        explanation=(
            "A spec reads nothing outside its own folder: no absolute path, no `..`, and\n"
            "no symbolic link. A spec from a stranger can then be checked and built without\n"
            "care. Data alone may lie in other folders, if the command line grants them:\n"
            "`--root DIR`."
        ),
        wrong="source: {csv: ../../rows.csv}",
        right="source: {csv: rows.csv}",
    ),
    Rule(
        code="KS211",
        title="a path that does not exist",
        explanation=(
            "The file or folder does not exist, or is not of the kind that is needed.\n"
            "Paths are relative to the spec."
        ),
        wrong="source: {csv: digit.csv}",
        right="source: {csv: digits.csv}",
    ),
    Rule(
        code="KS212",
        title="an unknown target",
        explanation=(
            "There is no target of this name. Targets are formats and platforms; `kspec\n"
            "doctor` lists those that are installed."
        ),
        wrong="targets: {andriod: {}}",
        right="targets: {android: {}}",
    ),
    Rule(
        code="KS220",
        title="an old word",
        explanation=(
            "The word was renamed, so that one thing has one name everywhere: `number` for\n"
            "numbers, and Keras' names of metrics. This version reads the old word as the new\n"
            "one; a later version will refuse it."
        ),
        wrong="inputs: {x: {numeric: 4}}",
        right="inputs: {x: {number: 4}}",
        severity="warning",
    ),
    Rule(
        code="KS221",
        title="a kind of input that is not read yet",
        explanation=(
            "Inputs are images, numbers and tensors in this version. Categories, text, dates\n"
            "and audio are written as numbers by the code that prepares the data."
        ),
        wrong="inputs: {island: {category: [Biscoe, Dream]}}",
        right='inputs: {island: {number: 2, columns: "island_*"}}',
    ),
)
