"""Calls of ``keras.ops`` on symbols: every operation that is lowered, in several forms."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops as k

from kspec.compiler.ir import Shape

B, T = "batch", "time"


@dataclass(frozen=True)
class Case:
    """A function of inputs of these shapes, whose elements lie between ``low`` and ``high``."""

    id: str
    function: Callable[..., Any]
    shapes: tuple[Shape, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0
    grid: float | None = None
    special: tuple[float, ...] = ()
    """Numbers that every input holds as well."""
    refused: str = ""

    def model(self) -> Any:
        inputs = [
            keras.Input(
                batch_shape=[None if d in (B, T) else d for d in shape],
                name=f"x{i}",
                dtype=self.dtype,
            )
            for i, shape in enumerate(self.shapes)
        ]
        return keras.Model(inputs, self.function(*inputs))

    def symbols(self) -> dict[str, Shape]:
        return {f"x{i}": shape for i, shape in enumerate(self.shapes)}

    def rows(self, batch: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([zlib.crc32(self.id.encode()), batch])
        sizes = {B: batch, T: 5}
        return {
            f"x{i}": self._draw(rng, [sizes.get(d, d) if isinstance(d, str) else d for d in shape])
            for i, shape in enumerate(self.shapes)
        }

    def _draw(self, rng: np.random.Generator, shape: list[Any]) -> np.ndarray:
        if self.dtype == "bool":
            return rng.integers(0, 2, shape).astype(bool)
        if self.dtype.startswith(("int", "uint")):
            return rng.integers(int(self.low), int(self.high) + 1, shape).astype(self.dtype)
        array = rng.uniform(self.low, self.high, shape)
        if self.grid is not None:
            array = np.round(array / self.grid) * self.grid
        if self.special:
            flat = array.reshape(-1)
            places = rng.permutation(flat.size)[: max(1, flat.size // 3)]
            flat[places] = np.resize(self.special, places.size)
        return array.astype(self.dtype)


def classes_of(case: Case) -> set[type]:
    """The operations that the case is about: those it calls."""
    return {type(each) for each in case.model().operations}


def call(name: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    function = k
    for part in name.split("."):
        function = getattr(function, part)
    return lambda *xs: function(*xs, *args, **kwargs)


V: tuple[Shape, ...] = ((B, 7),)
M: tuple[Shape, ...] = ((B, 3, 4),)


def elementwise() -> Iterator[Case]:
    everywhere = (
        "abs absolute fabs negative sign square ceil floor trunc round cos sin tan arctan arcsinh "
        "cosh sinh tanh exp expm1 exp2 cbrt deg2rad rad2deg sinc erf erfc isfinite isinf isneginf "
        "isposinf isnan isreal real imag conj conjugate angle copy logical_not "
        "celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid "
        "log_softmax relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign "
        "sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink threshold stop_gradient"
    )
    of_floats_only = [
        "erf",
        "erfc",
        "celu",
        "elu",
        "gelu",
        "glu",
        "hard_shrink",
        "hard_sigmoid",
        "hard_silu",
        "hard_tanh",
        "leaky_relu",
        "log_sigmoid",
        "log_softmax",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "soft_shrink",
        "softmax",
        "softplus",
        "softsign",
        "sparse_plus",
        "sparse_sigmoid",
        "sparsemax",
        "squareplus",
        "tanh_shrink",
        "threshold",
        "fabs",
    ]
    for name in everywhere.split():
        function = call(name, 0.5, 0.1) if name == "threshold" else call(name)
        yield Case(name, function, ((B, 8),), special=(0.0, 1.0, -1.0))
        if name not in of_floats_only:
            yield Case(f"{name}-int32", function, ((B, 8),), dtype="int32", low=-3, high=3)
    for name, low, high in (
        ("arccos", -0.9, 0.9),
        ("arcsin", -0.9, 0.9),
        ("arctanh", -0.9, 0.9),
        ("erfinv", -0.99, 0.99),
        ("arccosh", 1.0, 6.0),
        ("log", 0.1, 9.0),
        ("log1p", -0.9, 9.0),
        ("log2", 0.1, 9.0),
        ("log10", 0.1, 9.0),
        ("sqrt", 0.0, 9.0),
        ("rsqrt", 0.1, 9.0),
        ("reciprocal", 0.1, 9.0),
    ):
        yield Case(name, call(name), V, low=low, high=high)
    large = (3e19, -3e19, 1e-20, 0.0)
    yield Case("arcsinh-large", call("arcsinh"), V, special=large)
    ends = (math.inf, -math.inf, math.nan, 0.0)
    for name in ("isfinite", "isinf", "isneginf", "isposinf", "isnan", "nan_to_num", "trunc"):
        yield Case(f"{name}-ends", call(name), ((B, 12),), special=ends)
    yield Case(
        "nan_to_num-numbers",
        call("nan_to_num", nan=1.0, posinf=2.0, neginf=3.0),
        ((B, 12),),
        special=ends,
    )
    yield Case("nan_to_num-int32", call("nan_to_num"), V, dtype="int32")
    yield Case("signbit", call("signbit"), V, special=(0.0, -0.0))
    yield Case("round-decimals", call("round", decimals=2), V)
    yield Case("gelu-exact", call("gelu", approximate=False), V)
    yield Case("sparsemax-axis", call("sparsemax", axis=1), M)
    for name in [
        "add",
        "subtract",
        "multiply",
        "divide",
        "true_divide",
        "divide_no_nan",
        "floor_divide",
        "mod",
        "fmod",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "arctan2",
        "hypot",
        "heaviside",
        "logaddexp",
        "logaddexp2",
        "isclose",
        "allclose",
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
    ]:
        yield Case(name, call(name), ((B, 3, 4), (B, 1, 4)), special=(0.5, 1.0))
        yield Case(f"{name}-int32", call(name), ((B, 4), (B, 4)), dtype="int32", low=1, high=5)
    yield Case("divide_no_nan-zeros", call("divide_no_nan"), (V[0], V[0]), special=(0.0,))
    yield Case("arctan2-zeros", call("arctan2"), (V[0], V[0]), special=(0.0,))
    yield Case("hypot-zeros", call("hypot"), (V[0], V[0]), special=(0.0, 1e30))
    yield Case("heaviside-zeros", call("heaviside", np.array(0.5, np.float32)), V, special=(0.0,))
    yield Case("fmax-nan", call("fmax"), (V[0], V[0]), special=(math.nan,))
    yield Case("fmin-nan", call("fmin"), (V[0], V[0]), special=(math.nan,))
    yield Case("isclose-nan", call("isclose", equal_nan=True), (V[0], V[0]), special=(math.nan,))
    yield Case("logaddexp-ends", call("logaddexp"), (V[0], V[0]), special=(math.inf, -math.inf))
    yield Case("power", call("power"), (V[0], V[0]), low=0.1)
    yield Case("ldexp", lambda x: k.ldexp(x, k.cast(k.round(2 * x), "int32")), V)
    for name in ("bitwise_not", "bitwise_invert"):
        yield Case(name, call(name), V, dtype="int32", low=-9, high=9)
    for name in ("left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift"):
        yield Case(
            name,
            call(name, np.array([0, 1, 2, 3, 4, 5, 6], np.int32)),
            V,
            dtype="int32",
            low=-99,
            high=99,
        )
    yield Case("clip", call("clip", -0.5, 1.0), V)
    yield Case("where", lambda x, y: k.where(x > y, x, 0.0), (V[0], V[0]))
    yield Case("select", lambda x: k.select([x > 1, x > 0], [x, 2 * x], 7.0), V)
    yield Case("cast", call("cast", "int32"), V)
    yield Case("saturate_cast", call("saturate_cast", "uint8"), V, low=-300, high=300)
    yield Case(
        "saturate_cast-int", call("saturate_cast", "int8"), V, dtype="int32", low=-300, high=300
    )
    yield Case("convert_to_tensor", call("convert_to_tensor", "float32"), V, dtype="int32")
    yield Case("array", call("array", "float32"), V, dtype="int32")


def reductions() -> Iterator[Case]:  # noqa: C901
    for name in [
        "sum",
        "prod",
        "max",
        "min",
        "amax",
        "amin",
        "mean",
        "var",
        "std",
        "median",
        "ptp",
        "nansum",
        "nanprod",
        "nanmax",
        "nanmin",
        "nanmean",
        "nanvar",
        "nanstd",
    ]:
        yield Case(f"{name}-axis", call(name, axis=1), M)
        yield Case(f"{name}-keepdims", call(name, axis=-1, keepdims=True), M)
        yield Case(f"{name}-axes", call(name, axis=(1, 2)), M)
        if name.startswith("nan"):
            yield Case(f"{name}-nan", call(name, axis=1), ((B, 9, 2),), special=(math.nan,))
            yield Case(f"{name}-int32", call(name, axis=1), M, dtype="int32")
    yield Case("nanmax-all", call("nanmax", axis=-1), ((B, 4, 1),), special=(math.nan,))
    for name in ("argmax", "argmin", "nanargmax", "nanargmin"):
        yield Case(name, call(name, axis=1), M)
        yield Case(f"{name}-keepdims", call(name, axis=-1, keepdims=True), M)
        if name.startswith("nan"):
            yield Case(f"{name}-nan", call(name, axis=-1), ((B, 6, 1),), special=(math.nan,))
    for name in ("cumsum", "cumprod", "nancumsum", "nancumprod"):
        yield Case(name, call(name, axis=1), ((B, 6, 2),))
        yield Case(f"{name}-last", call(name, axis=-1), ((B, 1, 5),))
        if name.startswith("nan"):
            yield Case(f"{name}-nan", call(name, axis=1), ((B, 6, 2),), special=(math.nan,))
    yield Case("cumprod-int32", call("cumprod", axis=1), ((B, 5),), dtype="int32")
    yield Case("all", call("all", axis=1), M, dtype="bool")
    yield Case("any", call("any", axis=-1, keepdims=True), M, dtype="bool")
    yield Case("count_nonzero", call("count_nonzero", axis=1), M, dtype="int32")
    yield Case("count_nonzero-float", call("count_nonzero", axis=(1, 2)), M, special=(0.0,))
    yield Case("average", call("average", axis=1), M)
    yield Case(
        "average-weights",
        lambda x: k.average(x, axis=1, weights=np.array([1.0, 2, 4], np.float32)),
        M,
    )
    yield Case("average-full", lambda x, y: k.average(x, axis=1, weights=k.abs(y)), (M[0], M[0]))
    yield Case("logsumexp", call("logsumexp", axis=1), M)
    yield Case("logsumexp-keepdims", call("logsumexp", axis=(1, 2), keepdims=True), M)
    yield Case("moments", call("moments", axes=[1]), M)
    yield Case("diff", call("diff", n=2), ((B, 6),))
    yield Case("diff-axis", call("diff", axis=1), M)
    yield Case("trapezoid", call("trapezoid", dx=0.5), M)
    yield Case("trapezoid-x", call("trapezoid", x=np.array([0.0, 1, 3, 4], np.float32)), M)
    yield Case("corrcoef", call("corrcoef"), ((4, 6),))
    for name, q in (("quantile", 0.3), ("percentile", 30.0)):
        for method in ("linear", "lower", "higher", "nearest", "midpoint"):
            if name == "quantile" and method != "linear":
                continue
            yield Case(f"{name}-{method}", call(name, q, axis=1, method=method), ((B, 6, 2),))
        yield Case(
            f"{name}-several", call(name, np.array([q, 2 * q], np.float32), axis=-1), ((B, 2, 5),)
        )
    yield Case("quantile-keepdims", call("quantile", 0.25, axis=(1, 2), keepdims=True), M)
    yield Case("segment_sum", call("segment_sum", np.array([0, 2, 2, 0]), 3), ((4, 3),))
    for name in ("segment_max", "segment_min", "segment_prod"):
        yield Case(name, call(name, np.array([0, 2, 2, 0]), 3), ((4, 3),))


def sorting() -> Iterator[Case]:
    for name in ("sort", "argsort"):
        yield Case(name, call(name), ((B, 7),))
        yield Case(f"{name}-axis", call(name, axis=1), ((B, 5, 3),))
        yield Case(f"{name}-ties", call(name), ((B, 9),), grid=1.0)
        yield Case(f"{name}-int32", call(name), ((B, 9),), dtype="int32", low=-3, high=3)
    yield Case("top_k", call("top_k", 3), ((B, 7),))
    yield Case("top_k-ties", call("top_k", 4), ((B, 2, 9),), grid=1.0)
    yield Case("in_top_k", lambda x: k.in_top_k(k.argmax(-x, axis=-1), x, 3), ((B, 5),))
    bounds = np.array([-1.0, 0.0, 0.5, 1.0], np.float32)
    for side in ("left", "right"):
        yield Case(
            f"searchsorted-{side}",
            lambda x, side=side: k.searchsorted(bounds, x, side=side),
            ((7,),),
            grid=0.5,
        )
    yield Case("digitize", lambda x: k.digitize(x, bounds), ((B, 7),), grid=0.5)
    yield Case("isin", call("isin", np.array([1, 3])), ((B, 7),), dtype="int32", low=0, high=4)
    yield Case(
        "isin-invert",
        call("isin", np.array([1, 3]), invert=True),
        ((B, 7),),
        dtype="int32",
        low=0,
        high=4,
    )


def products() -> Iterator[Case]:
    for equation, *shapes in (
        ("abc,cd->abd", (B, 3, 4), (4, 5)),
        ("abc,cde->abde", (B, 3, 4), (4, 5, 2)),
        ("btnh,bsnh->bnts", (B, 3, 2, 4), (B, 5, 2, 4)),
        ("bnts,bsnh->btnh", (B, 2, 3, 5), (B, 5, 2, 4)),
        ("...ij,...jk->...ik", (B, 3, 4, 5), (1, 5, 6)),
        ("ij,jk", (3, 4), (4, 2)),
        ("abcd->abd", (B, 2, 3, 4)),
        ("ab,ab->ab", (B, 3), (B, 3)),
        ("ab,c->abc", (B, 3), (4,)),
        ("ab,bc,cd->ad", (B, 3), (3, 4), (4, 2)),
        ("abc->cba", (B, 3, 4)),
        ("...ab,ab->...", (B, 2, 3, 4), (3, 4)),
        ("ab,b->a", (B, 3), (3,)),
        ("b,ab->a", (3,), (B, 3)),
        ("abc,abd->acd", (B, 3, 4), (B, 3, 5)),
        ("...a,...a->...", (B, 3, 4), (B, 3, 4)),
        ("aecd,abcd->acbe", (B, 3, 4, 2), (B, 5, 4, 2)),
        ("btc,cnh->bnth", (B, T, 4), (4, 2, 3)),
        ("ab,cd->", (B, 3), (2, 2)),
    ):
        yield Case(f"einsum-{equation}", lambda *xs, e=equation: k.einsum(e, *xs), tuple(shapes))
    attended = ((B, 4, 2, 3), (B, 5, 2, 3), (B, 5, 2, 3))
    yield Case("dot_product_attention", call("dot_product_attention"), attended)
    yield Case(
        "dot_product_attention-causal", call("dot_product_attention", is_causal=True), attended
    )
    yield Case("dot_product_attention-scale", call("dot_product_attention", scale=0.3), attended)
    yield Case(
        "dot_product_attention-mask",
        lambda q, key, v, m: k.dot_product_attention(q, key, v, mask=m > -1, is_causal=True),
        (*attended, (B, 1, 4, 5)),
    )
    yield Case(
        "dot_product_attention-bias",
        lambda q, key, v, b: k.dot_product_attention(q, key, v, bias=b),
        (*attended, (1, 2, 4, 5)),
    )
    yield Case(
        "dot_product_attention-time",
        lambda q: k.dot_product_attention(q, 2 * q, q + 1, is_causal=True),
        ((B, T, 2, 3),),
    )
    yield Case(
        "dot_product_attention-groups",
        call("dot_product_attention"),
        ((B, 4, 4, 3), (B, 5, 2, 3), (B, 5, 2, 3)),
    )
    for name, *shapes in (
        ("matmul", (B, 3, 4), (B, 4, 5)),
        ("matmul", (B, 3, 4), (4,)),
        ("matmul", (4,), (B, 4, 2)),
        ("dot", (B, 4), (4, 3)),
        ("dot", (B, 4), (4,)),
        ("dot", (B, 2, 4), (3, 4, 5)),
        ("dot", (B, 4), ()),
        ("inner", (B, 4), (3, 4)),
        ("inner", (4,), (4,)),
        ("outer", (B, 2), (3,)),
        ("vdot", (B, 2), (B, 2)),
        ("cross", (B, 3), (B, 3)),
        ("cross", (B, 2), (B, 2)),
        ("cross", (B, 2), (B, 3)),
        ("kron", (2, 3), (3, 1)),
        ("kron", (3,), (2, 2)),
    ):
        yield Case(f"{name}-{shapes}", call(name), tuple(shapes))
    for axes, *shapes in (
        (0, (B, 2), (3,)),
        (1, (B, 3), (3, 4)),
        (2, (B, 3, 4), (3, 4, 2)),
        ([[1], [0]], (B, 3), (3, 4)),
        ([[2, 1], [1, 0]], (B, 3, 4), (3, 4, 2)),
        ([[2, 1], [0, 2]], (B, 3, 4), (4, 2, 3)),
    ):
        yield Case(f"tensordot-{axes}", call("tensordot", axes=axes), tuple(shapes))
    for mode in ("valid", "same", "full"):
        yield Case(f"correlate-{mode}", call("correlate", mode=mode), ((7,), (4,)))
    for order in (None, 0, 1, 2, 3, math.inf, -math.inf):
        yield Case(f"norm-{order}", call("norm", ord=order, axis=-1), M)
    for order in (None, "fro", 1, -1, math.inf, -math.inf):
        yield Case(
            f"norm-matrix-{order}", call("norm", ord=order, axis=(1, 2), keepdims=order == 1), M
        )
    yield Case("norm-all", call("norm"), ((3, 4),))
    yield Case("cdist", keras.src.ops.math.cdist, ((B, 3, 4), (B, 2, 4)))


def creation() -> Iterator[Case]:
    for name in ("zeros_like", "ones_like"):
        yield Case(name, call(name), M)
        yield Case(f"{name}-dtype", call(name, dtype="int32"), M)
    yield Case(
        "empty_like", lambda x: 0 * k.empty_like(x) if False else k.zeros_like(k.empty_like(x)), M
    )
    yield Case("full_like", call("full_like", 3.5), M)
    yield Case("full", lambda x: k.full((2, 3), k.max(x)), M)
    for name in ("linspace", "logspace", "geomspace"):
        yield Case(name, call(name, num=5), ((B, 2), (B, 2)), low=0.5)
        yield Case(f"{name}-open", call(name, num=4, endpoint=False), ((B, 2), (B, 2)), low=0.5)
    yield Case("meshgrid", call("meshgrid"), ((3,), (4,)))
    yield Case("meshgrid-ij", call("meshgrid", indexing="ij"), ((3,), (4,), (2,)))
    yield Case("size", call("size"), M)
    for axis in (-1, 0, 1):
        yield Case(
            f"one_hot-{axis}",
            call("one_hot", 5, axis=axis),
            ((B, 3),),
            dtype="int32",
            low=-1,
            high=5,
        )
    yield Case(
        "one_hot-int32", call("one_hot", 5, dtype="int32"), ((B, 3),), dtype="int32", low=0, high=4
    )
    yield Case("multi_hot", call("multi_hot", 5), ((B, 3),), dtype="int32", low=0, high=4)
    yield Case("multi_hot-3d", call("multi_hot", 5), ((B, 3, 2),), dtype="int32", low=0, high=4)
    for name in ("tril", "triu"):
        for offset in (0, 1, -2):
            yield Case(f"{name}-{offset}", call(name, offset), M)


def places() -> Iterator[Case]:
    yield Case("reshape", call("reshape", (-1, 12)), M)
    yield Case("ravel", call("ravel"), M)
    yield Case("expand_dims", call("expand_dims", 1), M)
    yield Case("squeeze", call("squeeze", 1), ((B, 1, 3),))
    yield Case("transpose", call("transpose", (0, 2, 1)), M)
    yield Case("swapaxes", call("swapaxes", 1, 2), M)
    yield Case("moveaxis", call("moveaxis", 1, -1), M)
    yield Case("concatenate", lambda x, y: k.concatenate([x, y], axis=1), (M[0], (B, 2, 4)))
    yield Case("stack", lambda x: k.stack([x, 2 * x], axis=1), M)
    for name in ("hstack", "vstack", "dstack"):
        yield Case(name, lambda x, name=name: getattr(k, name)([x, 2 * x]), M)
        if name != "hstack":
            yield Case(
                f"{name}-vectors", lambda x, name=name: getattr(k, name)([x, 2 * x]), ((4,),)
            )
    yield Case("append", lambda x: k.append(x, 2 * x, axis=1), M)
    yield Case("append-flat", lambda x: k.append(x, 2 * x), M)
    yield Case("split", call("split", 2, axis=-1), M)
    yield Case("split-places", call("split", [1, 3], axis=2), M)
    yield Case("array_split", call("array_split", 3, axis=-1), ((B, 8),))
    yield Case("hsplit", call("hsplit", 3), M)
    yield Case("vsplit", call("vsplit", 2), ((4, 2),))
    yield Case("dsplit", call("dsplit", 2), M)
    yield Case("unstack", call("unstack", axis=1), M)
    yield Case("pad", call("pad", ((0, 0), (1, 2), (0, 1))), M)
    yield Case("pad-value", call("pad", ((0, 0), (1, 2), (0, 1)), constant_values=2.0), M)
    yield Case("broadcast_to", call("broadcast_to", (3, 2, 4)), ((2, 4),))
    yield Case("tile", call("tile", (1, 2)), V)
    yield Case("repeat", call("repeat", 2, axis=1), M)
    yield Case("flip", call("flip", axis=1), M)
    yield Case("fliplr", call("fliplr"), M)
    yield Case("flipud", call("flipud"), ((3, 4),))
    for turns in range(4):
        yield Case(
            f"rot90-{turns}", call("rot90", k=turns, axes=(1, 2)), ((B, 3, 3 if turns == 2 else 4),)
        )
    yield Case("roll", call("roll", 2, axis=1), M)
    yield Case("roll-axes", call("roll", (-1, 7), axis=(1, 2)), M)
    yield Case("roll-flat", call("roll", 3), ((3, 4),))
    yield Case("roll-batch", call("roll", 1, axis=0), ((3, 4),))
    yield Case("getitem-first", lambda x: x[:, 0], M)
    yield Case("getitem-new", lambda x: x[:, None, ..., 1:], M)
    yield Case("getitem-backwards", lambda x: x[..., ::-1], M)
    yield Case("take", call("take", np.array([2, 0]), axis=1), M)
    yield Case("take-end", call("take", np.array([-1, 0]), axis=1), M)
    yield Case("take_along_axis", lambda x: k.take_along_axis(x, k.argsort(x, axis=1), axis=1), M)
    yield Case(
        "take_along_axis-known", lambda x: k.take_along_axis(x, np.array([[[1], [-1]]]), axis=1), M
    )
    yield Case(
        "take_along_axis-end",
        lambda x: k.take_along_axis(x, k.cast(k.sign(x), "int32"), axis=2),
        M,
    )
    yield Case("slice", lambda x: k.slice(x, (0, 1, 0), (2, 2, 3)), ((2, 3, 4),))
    yield Case(
        "slice-computed",
        lambda x: k.slice(x, k.stack([k.argmax(0 * k.abs(x[0, 0]), axis=0)] * 3), (1, 2, 3)),
        ((2, 3, 4),),
    )
    yield Case("slice_update", lambda x, y: k.slice_update(x, (0, 1, 2), y), ((2, 3, 4), (2, 2, 1)))
    yield Case(
        "slice_update-int32",
        lambda x, y: k.slice_update(x, (0, 1, 2), y),
        ((2, 3, 4), (1, 2, 1)),
        dtype="int32",
    )
    yield Case(
        "scatter", lambda x: k.scatter(np.array([[0, 1], [2, 3], [0, 1]]), x, (3, 4)), ((3,),)
    )
    yield Case("scatter-rows", lambda x: k.scatter(np.array([[2], [0]]), x, (4, 3)), ((2, 3),))
    for how in (None, "add", "max", "min", "mul"):
        yield Case(
            f"scatter_update-{how}",
            lambda x, y, how=how: k.scatter_update(x, np.array([[0, 1], [2, 3]]), y, how),
            ((3, 4), (2,)),
        )
    yield Case(
        "scatter_update-rows",
        lambda x, y: k.scatter_update(x, np.array([[1], [1]]), y, "add"),
        ((3, 4), (2, 4)),
    )
    for offset in (0, 1, -1):
        yield Case(f"diagonal-{offset}", call("diagonal", offset, 1, 2), M)
        yield Case(f"trace-{offset}", call("trace", offset, 1, 2), M)
        yield Case(f"diag-{offset}", call("diag", offset), ((4,),))
        yield Case(f"diag-matrix-{offset}", call("diag", offset), ((3, 4),))
    yield Case("diagflat", call("diagflat", 1), ((2, 2),))
    yield Case(
        "unravel_index", call("unravel_index", (3, 4)), ((7,),), dtype="int32", low=0, high=11
    )
    yield Case("vander", call("vander", 3), ((4,),))
    yield Case("vander-increasing", call("vander", 3, increasing=True), ((4,),))
    yield Case("space_to_depth", call("space_to_depth", 2), ((B, 4, 6, 3),))
    yield Case("depth_to_space", call("depth_to_space", 2), ((B, 2, 3, 8),))
    yield Case(
        "depth_to_space-first",
        call("depth_to_space", 2, data_format="channels_first"),
        ((B, 8, 2, 3),),
    )
    for options in (
        {},
        {"stride": 2},
        {"padding": 1},
        {"dilation": 2, "padding": (1, 0), "stride": (2, 1)},
    ):
        yield Case(f"unfold-{options}", call("unfold", (2, 3), **options), ((B, 2, 6, 7),))
        yield Case(
            f"fold-{options}",
            lambda x, o=options: k.fold(k.unfold(x, (2, 3), **o), (6, 7), (2, 3), **o),
            ((B, 2, 6, 7),),
        )
    yield Case("rearrange", call("rearrange", "b h (w c) -> b (h c) w", c=2), ((2, 3, 4),))


def neural() -> Iterator[Case]:
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    picture: tuple[Shape, ...] = ((B, 7, 6, 4),)
    yield Case("conv", lambda x: k.conv(x, weights(3, 3, 4, 5), padding="same"), picture)
    yield Case("depthwise_conv", lambda x: k.depthwise_conv(x, weights(3, 3, 4, 2)), picture)
    yield Case(
        "separable_conv",
        lambda x: k.separable_conv(x, weights(3, 3, 4, 2), weights(1, 1, 8, 3)),
        picture,
    )
    yield Case("max_pool", call("max_pool", 2), picture)
    yield Case("average_pool", call("average_pool", 2, 2, "same"), picture)
    for size in ((7, 6), (3, 3), (1, 1), (5, 4), (9, 8)):
        yield Case(f"adaptive_average_pool-{size}", call("adaptive_average_pool", size), picture)
        if size != (1, 1):  # Keras divides by zero
            yield Case(f"adaptive_max_pool-{size}", call("adaptive_max_pool", size), picture)
    yield Case("adaptive_average_pool-1d", call("adaptive_average_pool", (3,)), ((B, 8, 2),))
    yield Case(
        "adaptive_max_pool-first",
        call("adaptive_max_pool", (2, 3), data_format="channels_first"),
        picture,
    )
    statistics = [np.array(each, np.float32) for each in ([0.5, -1, 2, 0], [1.0, 2, 0.5, 1])]
    yield Case(
        "batch_normalization", lambda x: k.batch_normalization(x, *statistics, axis=-1), picture
    )
    yield Case(
        "layer_normalization",
        lambda x: k.layer_normalization(x, statistics[0], statistics[1]),
        picture,
    )
    yield Case("rms_normalization", lambda x: k.rms_normalization(x, statistics[0]), picture)
    yield Case("normalize", call("normalize"), M)
    yield Case("normalize-order", call("normalize", order=3), M)


def pictures() -> Iterator[Case]:
    picture: tuple[Shape, ...] = ((B, 7, 6, 3),)
    for how in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"):
        for size in ((10, 9), (4, 3), (14, 6)):
            yield (
                Case(f"resize-{how}-{size}", call("image.resize", size, interpolation=how), picture)
                if how != "area"
                else Case(
                    f"resize-{how}-{size}",
                    call("image.resize", size, interpolation="bilinear", antialias=True),
                    picture,
                )
            )
    yield Case(
        "resize-bicubic-antialias",
        call("image.resize", (3, 4), interpolation="bicubic", antialias=True),
        picture,
    )
    yield Case("resize-crop", call("image.resize", (4, 8), crop_to_aspect_ratio=True), picture)
    yield Case("resize-crop-tall", call("image.resize", (9, 3), crop_to_aspect_ratio=True), picture)
    yield Case(
        "resize-pad",
        call("image.resize", (4, 8), pad_to_aspect_ratio=True, fill_value=2.0),
        picture,
    )
    yield Case("resize-pad-tall", call("image.resize", (9, 3), pad_to_aspect_ratio=True), picture)
    yield Case("resize-one", call("image.resize", (5, 4)), ((7, 6, 3),))
    yield Case(
        "resize-first",
        call("image.resize", (5, 4), interpolation="bicubic", data_format="channels_first"),
        ((B, 3, 7, 6),),
    )
    for method in ("linear", "cubic", "lanczos3"):
        yield Case(
            f"scale_and_translate-{method}",
            lambda x, m=method: k.image.scale_and_translate(
                x,
                (10, 9, 3),
                np.array([1.5, 0.7], np.float32),
                np.array([0.5, -1.0], np.float32),
                (0, 1),
                m,
            ),
            ((7, 6, 3),),
        )
    yield Case("rgb_to_grayscale", call("image.rgb_to_grayscale"), picture)
    yield Case("rgb_to_hsv", call("image.rgb_to_hsv"), picture, low=0, high=1)
    yield Case("rgb_to_hsv-grey", call("image.rgb_to_hsv"), picture, low=0, high=1, grid=0.5)
    yield Case("hsv_to_rgb", call("image.hsv_to_rgb"), picture, low=0, high=1)
    yield Case("pad_images", call("image.pad_images", 1, 2, 0, 1), picture)
    yield Case(
        "pad_images-target",
        call("image.pad_images", 1, 2, target_height=10, target_width=9),
        picture,
    )
    yield Case("crop_images", call("image.crop_images", 1, 2, 0, 1), picture)
    yield Case(
        "crop_images-target",
        call("image.crop_images", 1, 0, target_height=3, target_width=4),
        picture,
    )
    yield Case("extract_patches", call("image.extract_patches", (3, 2)), picture)
    yield Case(
        "extract_patches-strides",
        call("image.extract_patches", 3, strides=2, padding="same"),
        picture,
    )
    yield Case("extract_patches-one", call("image.extract_patches", 2), ((6, 6, 3),))
    yield Case("gaussian_blur", call("image.gaussian_blur", (3, 5), (1.0, 0.5)), picture)
    yield Case("sobel_edges", call("image.sobel_edges"), picture)


def signals() -> Iterator[Case]:
    pair: tuple[Shape, ...] = ((B, 6, 5), (B, 6, 5))
    yield Case("fft", lambda x, y: k.fft((x, y)), pair)
    yield Case("fft2", lambda x, y: k.fft2((x, y)), pair)
    yield Case("ifft2", lambda x, y: k.ifft2((x, y)), pair)
    for size in (None, 5, 12):
        yield Case(f"rfft-{size}", call("rfft", size), ((B, 8),))
        yield Case(f"irfft-{size}", lambda x, y, n=size: k.irfft((x, y), n), ((B, 6), (B, 6)))
    yield Case("extract_sequences", call("extract_sequences", 4, 3), ((B, 12),))
    for options in ({}, {"center": False}, {"window": "hamming"}, {"window": None}):
        yield Case(f"stft-{options}", call("stft", 6, 3, 8, **options), ((B, 20),))
        inverse = {"window": "hamming"} if "window" not in options else options
        yield Case(
            f"istft-{inverse}-{len(options)}",
            lambda x, y, o=inverse: k.istft((x, y), 6, 3, 8, **o),
            ((B, 7, 5), (B, 7, 5)),
        )
    yield Case(
        "istft-length", lambda x, y: k.istft((x, y), 8, 2, 8, length=15), ((B, 7, 5), (B, 7, 5))
    )


class Known(keras.layers.Layer):
    """Reads sizes that are known at run time only, and puts a variable before a symbol."""

    def build(self, shape: Any) -> None:
        self.token = self.add_weight(shape=(1, 1, shape[-1]), name="token")
        self.places = keras.layers.Embedding(50, shape[-1])
        self.places.build(None)

    def call(self, x: Any) -> Any:
        batch, time, width = k.shape(x)
        tokens = (
            k.tile(self.token, [batch, 1, 1]),
            k.repeat(self.token, batch, axis=0),
            k.broadcast_to(self.token, (batch, 2, width)),
            k.zeros((batch, 2, width)),
            k.full((batch, 1, width), 3.0),
        )
        placed = self.token * x + self.places(k.arange(time))
        return k.concatenate([*tokens, placed], axis=1)


def layers() -> Iterator[Case]:
    yield Case("sizes", Known(), ((B, 5, 4),))
    yield Case("sizes-time", Known(), ((B, T, 4),))
    for name, bias, x in (
        ("first-of-equal", (4, 1), (B, 4, 4)),
        ("second", (3, 1, 1), (B, 3, 5, 4)),
        ("second-for-third", (5, 1), (B, 5, 5, 4)),
        ("of-higher-rank", (1, 1, 4), (B, 4)),
        ("last", (1, 4), (B, 3, 4)),
        ("none", (5, 1), (B, 3, 5, 4)),
    ):
        added = np.random.default_rng(0).normal(size=bias).astype(np.float32)
        yield Case(f"add-bias-{name}", lambda x, added=added: k.add(x, added), (x,))
    yield Case("additive-attention", lambda x: keras.layers.AdditiveAttention()([x, x]), M)
    yield Case(
        "attention-causal",
        lambda x: keras.layers.Attention()([x, x], use_causal_mask=True),
        ((B, T, 4),),
    )
    yield Case(
        "multi-head-attention",
        lambda x: keras.layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True),
        ((B, T, 4),),
    )


def loops() -> Iterator[Case]:
    yield Case("scan", lambda x: k.scan(lambda c, e: (c + e, c * e), x[0], x), ((4, 3),))
    yield Case(
        "scan-reverse",
        lambda x: k.scan(lambda c, e: (c + e, c * e), x[0], x, reverse=True),
        ((4, 3),),
    )
    yield Case("scan-long", lambda x: k.scan(lambda c, e: (c + e, c * e), x[0], x), ((20, 3),))
    yield Case(
        "scan-time",
        lambda x: k.scan(
            lambda c, e: (c / 2 + e, k.tanh(c)),
            k.zeros_like(x[:, 0]),
            k.transpose(x, (1, 0, 2)),
            reverse=True,
        ),
        ((B, T, 4),),
    )
    yield Case("map", lambda x: k.map(lambda e: e * k.sum(e), x), ((4, 3),))
    yield Case("vectorized_map", lambda x: k.vectorized_map(lambda e: e * k.sum(e), x), ((4, 3),))
    yield Case("fori_loop", lambda x: k.fori_loop(0, 3, lambda i, s: s * 2 + i, x), V)
    yield Case("associative_scan", lambda x: k.associative_scan(lambda a, b: a + b, x, axis=1), M)
    yield Case(
        "associative_scan-reverse",
        lambda x: k.associative_scan(lambda a, b: a + b, x, reverse=True),
        ((4, 3),),
    )
    yield Case(
        "switch",
        lambda x: k.switch(k.cast(k.max(x) > 1, "int32"), [lambda v: v, lambda v: -v], x),
        V,
    )


CASES = (
    *elementwise(),
    *reductions(),
    *sorting(),
    *products(),
    *creation(),
    *places(),
    *neural(),
    *pictures(),
    *signals(),
    *loops(),
    *layers(),
)

REFUSED = (
    Case("inv", call("inv"), ((B, 3, 3),), refused="no format decomposes"),
    Case(
        "while_loop",
        lambda x: k.while_loop(lambda s: k.max(s) < 9, lambda s: s * 2, x),
        V,
        refused="keras.ops WhileLoop: its number",
    ),
    Case("unique", call("unique", size=3), ((4,),), refused="depends on data"),
    Case(
        "einsum-diagonal",
        lambda x: k.einsum("aa->a", x),
        ((3, 3),),
        refused="a letter occurs twice",
    ),
    Case(
        "sort-time",
        call("sort", axis=1),
        ((B, T, 2),),
        refused="an axis must have a known size, not time",
    ),
    Case("cumprod-time", call("cumprod", axis=1), ((B, T),), refused="unknown size"),
    Case(
        "resize-time",
        call("image.resize", (4, 4), interpolation="bicubic"),
        ((B, T, 4, 2),),
        refused="the size time of the images must be known",
    ),
    Case(
        "scatter-computed",
        lambda x: k.scatter(k.cast(x, "int32"), x[:, 0], (3,)),
        ((4, 1),),
        refused="indices must be known",
    ),
    Case("map-batch", lambda x: k.map(lambda e: e * 2, x), V, refused="a loop over batch elements"),
    Case(
        "quantile-lower",
        call("quantile", 0.5, axis=1, method="lower"),
        M,
        refused="computes quantile linearly only",
    ),
    Case("rot90-half", call("rot90", k=2, axes=(1, 2)), M, refused="not square"),
    Case("einsum-ba", lambda x: k.einsum("ba", x), ((3, 4),), refused="write the result"),
    Case("norm-nuclear", call("norm", ord="nuc", axis=(1, 2)), M, refused="singular values"),
)
