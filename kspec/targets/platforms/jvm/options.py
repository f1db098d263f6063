"""The options of the JVM bundle."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from kspec.schemas.base import Model, located

_WORD = r"[a-z][a-z0-9_]*"
KEYWORDS = frozenset(
    {
        "abstract", "assert", "boolean", "break", "byte", "case", "catch", "char", "class",
        "const", "continue", "default", "do", "double", "else", "enum", "extends", "false",
        "final", "finally", "float", "for", "goto", "if", "implements", "import",
        "instanceof", "int", "interface", "long", "native", "new", "null", "package",
        "private", "protected", "public", "return", "short", "static", "strictfp", "super",
        "switch", "synchronized", "this", "throw", "throws", "transient", "true", "try",
        "void", "volatile", "while",
    }
)  # fmt: skip
"""Java keywords, which cannot be part of a package name."""
RESERVED = frozenset({"java", "javax"})
"""Packages that the Java virtual machine reserves."""


class JvmOptions(Model):
    """Options of the JVM bundle."""

    package: Annotated[
        str | None,
        Field(pattern=rf"^{_WORD}(\.{_WORD})*$", max_length=200, examples=["com.acme.digits"]),
    ] = None
    """Java package of the classes; the default is `kspec.` and the model's name."""
    group: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=200, examples=["com.acme"]
        ),
    ] = None
    """Maven's `groupId`; the default is the package without its last word."""

    @model_validator(mode="after")
    def consistent(self) -> JvmOptions:
        """Refuse a package name that Java does not accept."""
        words = self.package.split(".") if self.package else []
        for word in words:
            if word in KEYWORDS:
                raise located(("package",), f"`{word}` is a Java keyword, not a package name")
        if words and words[0] in RESERVED:
            raise located(("package",), f"packages below `{words[0]}` are Java's own")
        return self
