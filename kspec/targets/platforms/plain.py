"""A format as a target: its artifact alone, with the format's own options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kspec.schemas.base import Model
from kspec.targets.formats.format import Format
from kspec.targets.platforms.platform import Platform
from kspec.targets.request import ArtifactRequest, Subject

if TYPE_CHECKING:
    from kspec.features.description import Description


def plain(format_: Format[Any]) -> Platform:
    """Return the platform whose bundle is one artifact of this format."""

    class Plain(Platform):
        name = format_.name
        title = format_.name
        options = format_.options

        def requests(self, options: Model, subject: Subject) -> tuple[ArtifactRequest, ...]:  # noqa: ARG002
            return (ArtifactRequest(format_.name, options),)

        def usage(self, about: Description) -> str:  # noqa: ARG002
            return f"kspec predict . --input rows.json --format {format_.name}\n"

    return Plain()
