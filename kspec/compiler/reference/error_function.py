"""The error function and its complement, which NumPy lacks."""

# NumPy types arithmetic on arrays of any element type as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.polynomial import polyval

from kspec.compiler.ir import Array

# Coefficients of W. J. Cody, "Rational Chebyshev approximations for the error function",
# Mathematics of Computation 23 (1969), as in the program CALERF of SPECFUN; ascending powers.
_NEAR = (
    (
        3.20937758913846947e03,
        3.77485237685302021e02,
        1.13864154151050156e02,
        3.16112374387056560e00,
        1.85777706184603153e-1,
    ),
    (
        2.84423683343917062e03,
        1.28261652607737228e03,
        2.44024637934444173e02,
        2.36012909523441209e01,
        1.0,
    ),
)
_MIDDLE = (
    (
        1.23033935479799725e03,
        2.05107837782607147e03,
        1.71204761263407058e03,
        8.81952221241769090e02,
        2.98635138197400131e02,
        6.61191906371416295e01,
        8.88314979438837594e00,
        5.64188496988670089e-1,
        2.15311535474403846e-8,
    ),
    (
        1.23033935480374942e03,
        3.43936767414372164e03,
        4.36261909014324716e03,
        3.29079923573345963e03,
        1.62138957456669019e03,
        5.37181101862009858e02,
        1.17693950891312499e02,
        1.57449261107098347e01,
        1.0,
    ),
)
_FAR = (
    (
        6.58749161529837803e-4,
        1.60837851487422766e-2,
        1.25781726111229246e-1,
        3.60344899949804439e-1,
        3.05326634961232344e-1,
        1.63153871373020978e-2,
    ),
    (
        2.33520497626869185e-3,
        6.05183413124413191e-2,
        5.27905102951428412e-1,
        1.87295284992346725e00,
        2.56852019228982242e00,
        1.0,
    ),
)
_SPLITS = 0.46875, 4.0


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ exp(-t²) dt, float64, to 1e-15 relative."""
    wide = np.asarray(x, np.float64)
    size = np.abs(wide)
    return np.where(size <= _SPLITS[0], _near(wide), np.copysign(1 - _tail(size), wide))


def erfc(x: Array) -> Array:
    """1 - erf(x), float64, to 1e-13 relative for normal results, without cancellation."""
    wide = np.asarray(x, np.float64)
    tail = _tail(np.abs(wide))
    outer = np.where(wide > 0, tail, 2 - tail)
    return np.where(np.abs(wide) <= _SPLITS[0], 1 - _near(wide), outer)


def _near(x: Array) -> Array:
    return x * _ratio(_NEAR, np.minimum(np.abs(x), _SPLITS[0]) ** 2)


def _tail(size: Array) -> Array:
    """Return erfc(x) for x beyond the first split."""
    middle = _ratio(_MIDDLE, size.clip(*_SPLITS))
    bounded = np.maximum(size, _SPLITS[1])
    square = bounded**-2
    far = (1 / math.sqrt(math.pi) - square * _ratio(_FAR, square)) / bounded
    return np.exp(-(size**2)) * np.where(size <= _SPLITS[1], middle, far)


def _ratio(form: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = form
    return polyval(x, numerator) / polyval(x, denominator)
