"""TensorFlow's C library, called by ctypes: it loads and runs a SavedModel as TF-Serving does.

``import tensorflow`` takes seconds of CPU; the same runtime without its Python layer loads in a
tenth of that. The functions of ``tensorflow/c/c_api.h`` are in two libraries of the ``tensorflow``
wheel; nothing else needs to be installed.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Mapping, Sequence
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from kspec.compiler.ir import Array, DType

DATA_TYPES: Mapping[int, DType] = MappingProxyType(
    {
        1: DType.float32,
        2: DType.float64,
        3: DType.int32,
        4: DType.uint8,
        6: DType.int8,
        9: DType.int64,
        10: DType.boolean,
        19: DType.float16,
    }
)
"""``TF_DataType``, from ``tensorflow/c/tf_datatype.h``."""
CODES = MappingProxyType({dtype: code for code, dtype in DATA_TYPES.items()})
SERVE = b"serve"


class LibraryError(RuntimeError):
    """TensorFlow refused a call; the message is TensorFlow's."""


class _Output(Structure):
    _fields_ = (("operation", c_void_p), ("index", c_int))


class _Buffer(Structure):
    _fields_ = (("data", c_void_p), ("length", c_size_t), ("deallocator", c_void_p))


_P = c_void_p
_TENSORS = (POINTER(_Output), POINTER(_P), c_int)
_FUNCTIONS: Mapping[str, tuple[Any, tuple[Any, ...]]] = MappingProxyType(
    {
        "TF_Version": (c_char_p, ()),
        "TF_NewStatus": (_P, ()),
        "TF_DeleteStatus": (None, (_P,)),
        "TF_GetCode": (c_int, (_P,)),
        "TF_Message": (c_char_p, (_P,)),
        "TF_NewGraph": (_P, ()),
        "TF_DeleteGraph": (None, (_P,)),
        "TF_NewSessionOptions": (_P, ()),
        "TF_DeleteSessionOptions": (None, (_P,)),
        "TF_SetConfig": (None, (_P, c_char_p, c_size_t, _P)),
        "TF_LoadSessionFromSavedModel": (
            _P,
            (_P, _P, c_char_p, POINTER(c_char_p), c_int, _P, POINTER(_Buffer), _P),
        ),
        "TF_CloseSession": (None, (_P, _P)),
        "TF_DeleteSession": (None, (_P, _P)),
        "TF_GraphOperationByName": (_P, (_P, c_char_p)),
        "TF_AllocateTensor": (_P, (c_int, POINTER(c_int64), c_int, c_size_t)),
        "TF_DeleteTensor": (None, (_P,)),
        "TF_TensorData": (_P, (_P,)),
        "TF_TensorType": (c_int, (_P,)),
        "TF_TensorByteSize": (c_size_t, (_P,)),
        "TF_NumDims": (c_int, (_P,)),
        "TF_Dim": (c_int64, (_P, c_int)),
        "TF_SessionRun": (
            None,
            (_P, _P, *_TENSORS, *_TENSORS, _P, c_int, _P, _P),
        ),
    }
)


class Library:
    """The functions of the C library."""

    def __init__(self) -> None:
        found = find_spec("tensorflow")
        folder = Path(str(found and found.origin)).parent
        # Libraries that are loaded later look up the framework's symbols among the loaded ones.
        framework = ctypes.CDLL(str(_library(folder, "framework")), mode=ctypes.RTLD_GLOBAL)
        whole = ctypes.CDLL(str(_library(folder, "cc")), mode=ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(whole if hasattr(whole, name) else framework, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def checked(self, name: str, *arguments: Any) -> Any:
        """Call a function whose last argument is a status. Raises LibraryError."""
        status = self.TF_NewStatus()
        try:
            result = getattr(self, name)(*arguments, status)
            if self.TF_GetCode(status):
                raise LibraryError(self.TF_Message(status).decode(errors="replace"))
        finally:
            self.TF_DeleteStatus(status)
        return result


class SavedSession:
    """A session over the graph of a SavedModel, on the CPU."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._library = library = _loaded()
        self._graph = library.TF_NewGraph()
        options, meta = library.TF_NewSessionOptions(), _Buffer()
        config = _config(threads)
        try:
            library.checked("TF_SetConfig", options, config, len(config))
            tags = (c_char_p * 1)(SERVE)
            self._session = library.checked(
                "TF_LoadSessionFromSavedModel",
                *(options, None, str(folder).encode(), tags, 1, self._graph, byref(meta)),
            )
        finally:
            library.TF_DeleteSessionOptions(options)
        self.meta_graph = ctypes.string_at(meta.data, meta.length)
        """The serialised `MetaGraphDef`."""
        weakref.finalize(self, _close, library, self._session, self._graph)

    @property
    def version(self) -> str:
        version: str = self._library.TF_Version().decode()
        return version

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Return the tensors with these names (``operation:index``), for arrays fed by such
        names."""
        tensors = (_P * len(feeds))(*map(self._tensor, feeds.values()))
        results = (_P * len(fetches))()
        try:
            self._library.checked(
                "TF_SessionRun",
                *(self._session, None, self._outputs(feeds), tensors, len(feeds)),
                *(self._outputs(fetches), results, len(fetches), None, 0, None),
            )
            return [self._array(each) for each in results]
        finally:
            for tensor in (*tensors, *results):
                if tensor:
                    self._library.TF_DeleteTensor(tensor)

    def _outputs(self, names: Sequence[str] | Mapping[str, Array]) -> Any:
        return (_Output * len(names))(*map(self._output, names))

    def _output(self, name: str) -> _Output:
        operation, _, index = name.partition(":")
        found = self._library.TF_GraphOperationByName(self._graph, operation.encode())
        if not found:
            raise LibraryError(f"the graph has no operation {operation!r}")
        return _Output(found, int(index or 0))

    def _tensor(self, array: Array) -> int:
        array = np.ascontiguousarray(array)
        shape = (c_int64 * array.ndim)(*array.shape)
        code = CODES[DType(array.dtype.name)]
        tensor: int = self._library.TF_AllocateTensor(code, shape, array.ndim, array.nbytes)
        ctypes.memmove(self._library.TF_TensorData(tensor), array.ctypes.data, array.nbytes)
        return tensor

    def _array(self, tensor: int | None) -> Array:
        library = self._library
        dtype = DATA_TYPES[library.TF_TensorType(tensor)].numpy
        shape = [library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor))]
        size = library.TF_TensorByteSize(tensor)
        data = ctypes.string_at(library.TF_TensorData(tensor), size)
        return np.frombuffer(data, dtype).reshape(shape)


@cache
def _loaded() -> Library:
    return Library()


def _library(folder: Path, part: str) -> Path:
    """Return the path of a library: ``libtensorflow_cc.so.2`` on Linux, ``.2.dylib`` on macOS."""
    found = sorted(folder.glob(f"libtensorflow_{part}.*"))
    if not found:
        raise LibraryError(f"TensorFlow's C library libtensorflow_{part} is not in {folder}")
    return found[0]


def _close(library: Library, session: int, graph: int) -> None:
    library.checked("TF_CloseSession", session)
    library.checked("TF_DeleteSession", session)
    library.TF_DeleteGraph(graph)


def _config(threads: int) -> bytes:
    """Return a `ConfigProto` (tensorflow/core/protobuf/config.proto): no GPU, one operation at a
    time, on this number of threads."""
    no_gpu = b"\x0a\x07\x0a\x03GPU\x10\x00"  # device_count {key: "GPU" value: 0}
    return no_gpu + bytes([2 << 3, threads, 5 << 3, 1])  # intra_op_, inter_op_parallelism_threads
