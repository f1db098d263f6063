"""The JVM: a Maven project over ONNX Runtime, for Java, Kotlin, Scala and Spark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kspec.schemas.base import Model
from kspec.targets.formats.onnx.options import OnnxOptions
from kspec.targets.platforms.jvm.options import KEYWORDS, JvmOptions
from kspec.targets.platforms.platform import Platform
from kspec.targets.platforms.templates import Verbatim, package_name, render_tree, type_name
from kspec.targets.request import ArtifactRequest, Layout, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description
    from kspec.targets.platforms.jvm.ports import Port

TEMPLATES = Path(__file__).parent / "templates"
RESOURCES = "META-INF/kspec/"
"""The artifact's folder in the jar. It is not a Java package, so modules do not encapsulate it."""
RUNTIME = "1.28.0"
"""The version of ``com.microsoft.onnxruntime:onnxruntime``. Later versions send telemetry, whose
regular expressions overflow a thread's stack if the command line is long: the JVM crashes."""
SPARK = frozenset({"image", "number_input"})
"""The forms of inputs that a Spark column can contain."""


class Jvm(Platform):
    """One jar with the artifact inside, and a JUnit test that proves it."""

    name: ClassVar[str] = "jvm"
    title: ClassVar[str] = "JVM"
    options: ClassVar[type[Model]] = JvmOptions
    ignored: ClassVar[tuple[str, ...]] = ("target",)

    def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:  # noqa: ARG002
        return (ArtifactRequest("onnx", OnnxOptions()),)

    def layout(self, name: str) -> Layout:  # noqa: ARG002
        return Layout(f"src/main/resources/{RESOURCES}", f"src/test/resources/{RESOURCES}")

    def files(self, about: Description) -> Mapping[str, bytes]:
        takes, gives = _ports(about)
        folders = ["project", *sorted({each.folder for each in (*takes, *gives)})]
        values = _values(about, takes, gives)
        if values["spark"]:
            folders.append("spark")
        names = {"package": package(about).replace(".", "/"), "model": model(about)}
        return {
            path: content
            for folder in folders
            for path, content in render_tree(TEMPLATES / folder, values, names).items()
        }

    def usage(self, about: Description) -> str:
        takes, gives = _ports(about)
        row = _ROWS[takes[0].folder] if len(takes) == 1 else "row"
        shown = ".label()" if len(gives) == 1 and gives[0].folder == "labels" else ""
        given = _GIVEN[takes[0].folder] if len(takes) == 1 else f"a {model(about)}.Row"
        return f"""\
mvn verify                          # builds the jar and runs its self-test: KSPEC-SELFTEST {{…}}
mvn -q test-compile exec:java       # the self-test alone
mvn install                         # for the apps of this machine:
                                    # {group(about)}:{about.name}:{about.version}

// The argument of predict is {given}

// Java
try ({model(about)} model = {model(about)}.load()) {{
    System.out.println(model.predict({row}){shown});
}}

// Kotlin
{model(about)}.load().use {{ println(it.predict({row}){shown}) }}

// Scala
Using.resource({model(about)}.load()) {{ model => println(model.predict({row}){shown}) }}
{_spark_usage(about, takes)}"""


def _ports(about: Description) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """Return the inputs and the outputs; imported here, since `check` does not need them."""
    from kspec.targets.platforms.jvm.ports import inputs, outputs

    return inputs(about), outputs(about)


def package(about: Description) -> str:
    """Return the Java package: the user's choice, or a name derived from the model's name."""
    chosen = about.options.get("package")
    if chosen:
        return str(chosen)
    word = package_name(about.name)
    return f"kspec.{word}_" if word in KEYWORDS else f"kspec.{word}"


def group(about: Description) -> str:
    """Return Maven's ``groupId``."""
    return str(about.options.get("group") or package(about).rpartition(".")[0] or package(about))


def model(about: Description) -> str:
    """Return the class of the model; no other class in the package has this suffix."""
    return f"{type_name(about.name)}Model"


def _spark_usage(about: Description, takes: tuple[Port, ...]) -> str:
    """Return the README's lines for Spark; empty if Spark columns cannot contain the inputs."""
    if not _has_columns(takes):
        return ""
    columns = [
        f"SparkFunction.numbers({model(about)}.{each.constant.text})"
        if each.texts
        else f'col("{_COLUMNS[each.folder]}")'
        for each in takes
    ]
    jar = f"target/{about.name}-{about.version}.jar"
    return f"""
// Spark: mvn package -Pspark, then spark-submit with --jars {jar}
// and --packages com.microsoft.onnxruntime:onnxruntime:{RUNTIME}
rows.withColumn("answer", SparkFunction.answer({", ".join(columns)}))
"""


def _has_columns(takes: tuple[Port, ...]) -> bool:
    return SPARK.issuperset(each.folder for each in takes)


_COLUMNS = {"image": "content", "number_input": "numbers"}
"""The name of the column with an input; ``content`` is the column of Spark's binary files."""
_ROWS = {"image": 'Path.of("picture.png")', "number_input": "row", "tensor": "row"}
"""The argument in the README, by the form of a single input."""
_GIVEN = {
    "image": "a Path, a byte[], a BufferedImage or a Picture",
    "number_input": "a float[], or a Map of numbers by column",
    "tensor": "a Tensor",
}


def _values(about: Description, takes: tuple[Port, ...], gives: tuple[Port, ...]) -> dict[str, Any]:
    """Return the values for the templates."""
    artifact, golden = about.artifacts[0], about.golden
    name = model(about)
    return {
        "runtime": RUNTIME,
        "package": Verbatim(package(about)),
        "group": group(about),
        "model": Verbatim(name),
        "name": about.name,
        "version": about.version,
        "inputs": takes,
        "outputs": gives,
        "named": any(each.texts for each in takes),
        "kinds": {each.folder for each in (*takes, *gives)},
        "taken": {each.folder for each in takes},
        "only": takes[0].folder if len(takes) == 1 else None,
        "row": takes[0].value if len(takes) == 1 else Verbatim(f"{name}.Row"),
        "answer": gives[0].value if len(gives) == 1 else Verbatim(f"{name}.Prediction"),
        "boxed": gives[0].boxed if len(gives) == 1 else Verbatim(f"{name}.Prediction"),
        "artifact": _file(artifact.path),
        "files": [
            (_file(place)["resource"], artifact.files[Path(place).name])
            for place in artifact.places
        ],
        "golden": _file(golden.file, golden.sha256),
        "pictures": {each: _file(path)["resource"] for each, path in golden.pictures.items()},
        "tolerances": [artifact.tolerances[each.name] for each in gives],
        "spark": _has_columns(takes),
    }


def _file(path: str, sha256: str = "") -> dict[str, str]:
    """Return the class loader's path of a file of the bundle."""
    name = Path(path).name
    return {"name": name, "resource": f"/{RESOURCES}{name}", "sha256": sha256}
