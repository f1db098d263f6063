"""Compiles Kotlin against Android's classes, and runs it on the JVM with LiteRT for Linux."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
JARS = Path(__file__).parents[3] / ".tools" / "android"
"""Where `make android` puts what pom.xml names."""


@dataclass(frozen=True, slots=True)
class Classes:
    """Compiled code, and what it runs with."""

    path: tuple[Path, ...]

    def run(self, main: str, *arguments: str | Path, **properties: str | Path) -> tuple[int, str]:
        """The exit code and the output of a main class."""
        given = {"kspec.litert": runtime(), "kspec.litert.version": version("ai-edge-litert")}
        given |= {f"kspec.{name}": value for name, value in properties.items()}
        command = [
            *("java", "-XX:TieredStopAtLevel=1", *(f"-D{k}={v}" for k, v in given.items())),
            *("-cp", _joined([*self.path, *jars()]), main, *map(str, arguments)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


def compile_kotlin(
    sources: Iterable[Path], into: Path, *libraries: Path, tested: Path | None = None
) -> Classes:
    """Compile files and folders; a warning is an error. Without ``tested``, code of which the
    sources see what is internal, every public name must be declared so, as the module's build
    wants it. Raises AssertionError with what the compiler says."""
    options = ["-Xexplicit-api=strict"] if tested is None else [f"-Xfriend-paths={tested}"]
    command = [
        *("java", "-XX:TieredStopAtLevel=1", "-Xmx1500m", "-cp", _joined(jars())),
        *("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-Werror"),
        *("-jvm-target", "17", *options, "-d", str(into)),
        *("-cp", _joined([*libraries, *jars()]), *map(str, sources)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Classes((into, *libraries))


def jars() -> tuple[Path, ...]:
    found = tuple(sorted(JARS.glob("*.jar")))
    assert found, "run: make android"
    return found


def runtime() -> Path:
    """LiteRT's library, of the package that verifies artifacts."""
    spec = find_spec("ai_edge_litert")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("libLiteRt.so")


def _joined(paths: Iterable[Path]) -> str:
    return ":".join(map(str, paths))
