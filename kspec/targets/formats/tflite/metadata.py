"""TFLite metadata and label files. The metadata is a flatbuffer in a buffer of the model; the label
files are in a zip archive appended to the model, which readers find from the end of the file.

Runtimes ignore both. Source: ``metadata_schema.fbs`` of TensorFlow Lite Support, version 1.1.0,
whose fields are given here by their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import flatbuffers

from kspec.targets.formats.card import Card
from kspec.targets.formats.tflite.program import Program

NAME = "TFLITE_METADATA"
"""The name of the metadata buffer in the model."""
_IDENTIFIER = b"M001"
_AXIS_LABELS = 2
"""The type of a file with one label per line for the elements along an axis, since version
1.0.0."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def pack_metadata(program: Program, card: Card) -> bytes:
    """Return the flatbuffer: names, version, description, and the label file of each output."""
    builder = flatbuffers.Builder()
    files = label_files(program, card)
    parts = [
        _vector(builder, [_tensor(builder, value.name) for value in program.inputs]),
        _vector(
            builder,
            [
                _tensor(
                    builder, value.name, _file_name(place) if _file_name(place) in files else ""
                )
                for place, value in enumerate(program.outputs)
            ],
        ),
    ]
    subgraph = _table(builder, 7, {2: parts[0], 3: parts[1]})
    texts = {0: program.name, 1: card.description, 2: card.version, 7: "1.0.0"}
    fields = {slot: builder.CreateString(text) for slot, text in texts.items() if text}
    fields[3] = _vector(builder, [subgraph])
    builder.Finish(_table(builder, 8, fields), _IDENTIFIER)
    return bytes(builder.Output())


def append_labels(content: bytes, program: Program, card: Card) -> bytes:
    """Return the file with the archive of its label files appended."""
    files = label_files(program, card)
    if not files:
        return content
    buffer = BytesIO(content)
    with ZipFile(buffer, "a", ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(ZipInfo(name, _EARLIEST), text)
    return buffer.getvalue()


def label_files(program: Program, card: Card) -> Mapping[str, str]:
    """Return a file with one label per line for each output with labels. An output with a label of
    several lines has no file."""
    found: dict[str, str] = {}
    for place, value in enumerate(program.outputs):
        labels = card.labels.get(value.name, ())
        if labels and all(each.splitlines() == [each] for each in labels):
            found[_file_name(place)] = "".join(f"{each}\n" for each in labels)
    return found


def _file_name(place: int) -> str:
    return f"labels-{place}.txt"


def _tensor(builder: flatbuffers.Builder, name: str, labels: str = "") -> int:
    fields = {0: builder.CreateString(name)}
    if labels:
        file = _table(builder, 4, {0: builder.CreateString(labels)}, {2: _AXIS_LABELS})
        fields[6] = _vector(builder, [file])
    return _table(builder, 7, fields)


def _table(
    builder: flatbuffers.Builder,
    slots: int,
    offsets: Mapping[int, int],
    bytes_: Mapping[int, int] | None = None,
) -> int:
    builder.StartObject(slots)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    for slot, number in (bytes_ or {}).items():
        builder.PrependInt8Slot(slot, number, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
