"""``keras.ops`` that are not lowered, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras.src.ops import image, linalg, math, nn
from keras.src.ops import numpy as knp

from kspec.compiler.table import Table

rules: Table[Callable[..., Any]] = Table("trace: refusals")

rules.refuse(
    "no format decomposes or solves matrices",
    linalg.Cholesky,
    linalg.CholeskyInverse,
    linalg.Det,
    linalg.Eig,
    linalg.Eigh,
    linalg.Inv,
    linalg.Lstsq,
    linalg.LuFactor,
    linalg.MatrixRank,
    linalg.Pinv,
    linalg.Qr,
    linalg.SVD,
    linalg.Solve,
    linalg.SolveTriangular,
    knp.Slogdet,
    math.Logdet,
)
rules.refuse("it differentiates, which only training does", linalg.JVP)
rules.refuse(
    "it is a loss or a metric, used in training only",
    image.SSIM,
    nn.BinaryCrossentropy,
    nn.CTCLoss,
    nn.CategoricalCrossentropy,
    nn.PSNR,
    nn.SparseCategoricalCrossentropy,
)
rules.refuse("the number of iterations of its path search depends on data", nn.CTCDecode)
rules.refuse(
    "it samples images at computed positions, for augmentation during training",
    image.AffineTransform,
    image.ElasticTransform,
    image.MapCoordinates,
    image.PerspectiveTransform,
)
rules.refuse(
    "the IR has no complex numbers; a complex tensor is a pair of real ones",
    math.ViewAsComplex,
    math.ViewAsReal,
    nn.Polar,
)
rules.refuse(
    "the shape of its result depends on data",
    knp.Bincount,
    knp.Nonzero,
    knp.Unique,
)
rules.refuse("its result depends on all rows of a batch", knp.Histogram)
rules.refuse(
    "the number of elements that are not NaN depends on data",
    knp.Nanmedian,
    knp.Nanpercentile,
    knp.Nanquantile,
)
rules.refuse("no format reads the bits of numbers", knp.Nextafter, knp.View)
rules.refuse("the rank is known when a model is built: len(x.shape)", knp.Ndim)
rules.refuse("no format has Bessel functions", knp.I0)
rules.refuse("the number of iterations of Euclid's algorithm depends on data", knp.Gcd, knp.Lcm)
rules.refuse("the order of its result is unspecified, so formats would differ", knp.Argpartition)
rules.refuse("it is the base class of other operations", math.SegmentReduction)
