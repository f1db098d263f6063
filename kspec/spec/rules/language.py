"""KS3xx · params, expressions, blocks and --set."""

from kspec.spec.rule import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        code="KS301",
        title="an expression that cannot be read",
        explanation=(
            "`${…}` holds numbers, names, `+ - * / // % **`, parentheses, and the\n"
            "functions `min`, `max`, `round`, `int`. `$${` stands for the text `${`.\n"
            "Nothing in it is ever run."
        ),
        wrong="units: ${2 * }",
        right="units: ${2 * width}",
    ),
    Rule(
        code="KS302",
        title="an unknown name in an expression",
        explanation=(
            "Expressions know the `params` of the spec and, inside a block, the block's\n"
            "parameters. Environment variables are never read."
        ),
        wrong="units: ${widht}",
        right="units: ${width}",
    ),
    Rule(
        code="KS303",
        title="an expression without a result",
        explanation=(
            "A division by zero, arithmetic with text, too deep a nesting, or a number\n"
            "that 64 bits cannot hold."
        ),
        wrong="units: ${9 ** 9 ** 9}",
        right="units: ${9 ** 2}",
    ),
    Rule(
        code="KS305",
        title="an override that leads nowhere",
        explanation=(
            "`--set` takes a path of keys and of indices of lists, with dots between. A\n"
            "param must exist; keys below a section are judged by the schema."
        ),
        wrong="kspec build model.yaml --set params.widht=32",
        right="kspec build model.yaml --set params.width=32",
    ),
    Rule(
        code="KS306",
        title="an override without a value",
        explanation=(
            'The value of `--set` is parsed as one line of YAML: `32`, `true`,\n`[3, 3]`, `"text"`.'
        ),
        wrong="kspec build model.yaml --set train.deterministic=no",
        right="kspec build model.yaml --set train.deterministic=false",
    ),
    Rule(
        code="KS307",
        title="a block that is not well defined",
        explanation=(
            "A block has a signature as its key, `name(parameter, other=default)`, and a\n"
            "list of steps. Its name is not the name of a layer, and not `name`, `from` or\n"
            "`repeat`."
        ),
        wrong=("blocks:\n  conv_block[filters]: [relu]"),
        right=(
            'blocks:\n  conv_block(filters):\n    - conv2d: {filters: "${filters}", kernel_size: 3}'
        ),
    ),
    Rule(
        code="KS308",
        title="arguments that do not fit the block",
        explanation=(
            "A call gives every parameter that has no default, by name, and no others. An\n"
            "argument is a value or a short list of values."
        ),
        wrong="- conv_block: {filter: 16}",
        right="- conv_block: {filters: 16}",
    ),
    Rule(
        code="KS309",
        title="a block that calls itself",
        explanation=(
            "Blocks may call other blocks, but not themselves, directly or through\n"
            "others: the network would have no end. Use `repeat` for several rounds."
        ),
        wrong=("blocks:\n  deep():\n    - deep"),
        right=("- conv_block: {filters: 16}\n  repeat: 3"),
    ),
    Rule(
        code="KS310",
        title="a network that is too large",
        explanation=(
            "With blocks and `repeat` expanded, a network has at most 10,000 steps and\n"
            "200,000 values."
        ),
        wrong=("- relu\n  repeat: 100000"),
        right=("- relu\n  repeat: 10"),
    ),
    Rule(
        code="KS311",
        title="a step that is not one layer",
        explanation=(
            "A step is the key of one layer, with its arguments behind it, and `name`,\n"
            "`from` and `repeat` beside it. Arguments are indented below the layer."
        ),
        wrong=("- dense:\n  units: 10"),
        right=("- dense:\n    units: 10"),
    ),
    Rule(
        code="KS312",
        title="an unknown layer or block",
        explanation=(
            "Layers have the names of Keras in snake_case: `Conv2D` is `conv2d`. Blocks\n"
            "have the names of the section `blocks`."
        ),
        wrong="- dens: {units: 10}",
        right="- dense: {units: 10}",
    ),
    Rule(
        code="KS314",
        title="a repeat that is not a count",
        explanation="`repeat` is a whole number from 1 to 10,000.",
        wrong=("- relu\n  repeat: 0"),
        right=("- relu\n  repeat: 2"),
    ),
    Rule(
        code="KS316",
        title="something that is never used",
        explanation=(
            "An unused param, block, or parameter of a block is mostly a misspelt name\n"
            "elsewhere. The body of an unused block is not checked."
        ),
        wrong=("params: {width: 16}\nnetwork:\n  - dense: 10"),
        right=('params: {width: 16}\nnetwork:\n  - dense: "${width}"'),
    ),
)
