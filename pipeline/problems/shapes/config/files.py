"""The user's own polygons: how they are read and scaled, and the family that they belong to.

Axes: S polygon, V vertex, 2 coordinates (x, y), P free parameters, Q quantile.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.problems.shapes.config.estimated import Polygons
from pipeline.problems.shapes.config.types import Dataset
from pipeline.utils import inputs
from pipeline.utils.errors import InputError

TOLERANCE = 1e-3
"""Directions in which polygons vary by less than this share of the largest variation are rounding
errors of the file, not free parameters."""

ROUNDING = 1e-9
"""Differences of less than this share of the largest coordinate come from its rounding."""

QUANTILES = 101


def resolve(dataset: Dataset) -> Dataset:
    """Complete a dataset of shape: file by the family of its polygons.

    Raises InputError if the files cannot be used, or have too few polygons.
    """
    if dataset.path is None:
        return dataset
    try:
        polygons, digest = load_polygons(dataset)
    except InputError as error:
        raise InputError(f"path: {error}") from None
    inputs.check_count(dataset.path, len(polygons), Polygons.unit, dataset)
    contents = estimate(polygons, digest)
    return dataset.model_copy(update={"contents": contents})


def load_polygons(dataset: Dataset) -> tuple[np.ndarray, str]:
    """Return the polygons (S, V, 2) of the dataset's files, as they are, and the files' digest."""
    expected = dataset.contents and dataset.contents.sha256
    files, digest = inputs.find_unchanged(dataset.path, expected)
    return _read_polygons(tuple(files), digest), digest


def scaled(polygons: np.ndarray) -> tuple[np.ndarray, float]:
    """Return polygons (S, V, 2) with the first vertex at the origin, and what they are divided by.

    All are divided by the same number, so that together they fit into a square of side 1.
    """
    moved = polygons - polygons[:, :1]
    scale = float(np.ptp(moved.reshape(-1, 2), axis=0).max())
    return moved / scale, scale


def estimate(polygons: np.ndarray, digest: str) -> Polygons:
    """Estimate the family of polygons (S, V, 2): their mean, and the directions in which they vary.

    The directions are the principal components whose standard deviation is at least `TOLERANCE`
    of the largest, scaled so that free parameters range from 0 to 1 in the data.
    """
    placed, scale = scaled(polygons)
    flat = placed.reshape(len(placed), -1)
    mean = flat.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(flat.T))
    directions = directions.T[::-1][variances[::-1] > TOLERANCE**2 * variances[-1]]
    largest = np.abs(directions).argmax(axis=1)  # eigenvectors have any sign; make it positive
    directions *= np.sign(directions[np.arange(len(directions)), largest])[:, None]
    theta = (flat - mean) @ directions.T
    low, span = theta.min(axis=0), np.ptp(theta, axis=0)
    quantiles = np.quantile((theta - low) / span, np.linspace(0, 1, QUANTILES), axis=0)
    steps = np.diff(placed, axis=1).reshape(len(placed), -1)
    return Polygons(
        sha256=digest,
        count=len(polygons),
        scale=scale,
        offset=_rounded(mean + low @ directions),
        matrix=_rounded(directions.T * span),
        quantiles=_rounded(quantiles.T),
        range=[placed.min(axis=(0, 1)).tolist(), placed.max(axis=(0, 1)).tolist()],
        step_range=[steps.min(axis=0).tolist(), steps.max(axis=0).tolist()],
    )


def _rounded(array: np.ndarray) -> list:
    """Return an array as a list; the last digits of eigenvectors differ between machines."""
    return array.round(9).tolist()


@functools.lru_cache(maxsize=4)
def _read_polygons(files: tuple[Path, ...], digest: str) -> np.ndarray:
    """Return the polygons (S, V, 2) of files; `digest` is that of the files."""
    polygons: list[list[float]] = []
    for path in files:
        read = _read_json if path.suffix.lower() in (".json", ".geojson") else _read_csv
        for place, coordinates in read(path):
            if len(coordinates) > 2 and coordinates[:2] == coordinates[-2:]:
                coordinates = coordinates[:-2]  # a closed ring, as in GeoJSON
            if not all(map(math.isfinite, coordinates)):
                raise InputError(f"{place}: has a coordinate that is not finite")
            if len(coordinates) < 6 or len(coordinates) % 2:
                must = "must have an even number of coordinates, at least 6: x, y, x, y, ..."
                raise InputError(f"{place}: {must}, got {len(coordinates)}")
            if polygons and len(coordinates) != len(polygons[0]):
                must = f"must have {len(polygons[0]) // 2} vertices, as the first polygon"
                raise InputError(f"{place}: {must}, got {len(coordinates) // 2}")
            polygons.append(coordinates)
    shown = ", ".join(map(inputs.show, files))
    if not polygons:
        raise InputError(f"{shown}: has no polygons")
    array = np.array(polygons).reshape(len(polygons), -1, 2)
    with np.errstate(over="ignore"):
        moved = array - array[:, :1]
        width, height = np.ptp(moved.reshape(-1, 2), axis=0)
    if not np.isfinite([width, height]).all():
        raise InputError(f"{shown}: has coordinates that are too far apart")
    if np.ptp(moved, axis=0).max() <= ROUNDING * np.abs(array).max():
        raise InputError(f"{shown}: all polygons are the same")
    if min(width, height) <= ROUNDING * np.abs(array).max():
        raise InputError(f"{shown}: all vertices lie on a horizontal or a vertical line")
    return array


def _read_csv(path: Path) -> Iterator[tuple[str, list[float]]]:
    """Yield the place and the coordinates of each row; the first row may be a header."""
    for index, (number, words) in enumerate(inputs.read_rows(path)):
        if index == 0 and any(
            words == [str(first + i) for i in range(len(words))] for first in (0, 1)
        ):
            raise InputError(
                f"{inputs.show(path)}:{number}: looks like a header of column numbers; remove it"
            )
        try:
            yield f"{inputs.show(path)}:{number}", [float(word) for word in words]
        except ValueError:
            if index == 0 and not any(map(_is_number, words)):
                continue
            wrong = next(word for word in words if not _is_number(word))
            raise InputError(
                f"{inputs.show(path)}:{number}: must be a number, got {wrong[:40]!r}"
            ) from None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_json(path: Path) -> Iterator[tuple[str, list[float]]]:
    """Yield the place and the coordinates of each polygon of a JSON list or of GeoJSON.

    A list holds polygons, each a list of [x, y]. Of GeoJSON's polygons the outer ring counts.
    """
    try:
        document = json.loads(inputs.read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{inputs.show(path)}: is not JSON ({error})") from None
    for number, polygon in enumerate(_polygons_of(document), start=1):
        place = f"{inputs.show(path)}: polygon {number}"
        try:
            vertices = [(_number(x), _number(y)) for x, y, *_ in polygon]
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{place}: must be a list of [x, y] of numbers") from None
        yield place, [coordinate for vertex in vertices for coordinate in vertex]


def _number(value: object) -> float:
    if type(value) not in (int, float):
        raise TypeError
    return float(value)


def _polygons_of(document) -> Iterator:
    """Yield the polygons of a parsed document."""
    match document:
        case list():
            yield from document
        case {"type": "FeatureCollection", "features": list(features)}:
            for feature in features:
                yield from _polygons_of(feature)
        case {"type": "Feature", "geometry": geometry}:
            yield from _polygons_of(geometry)
        case {"type": "GeometryCollection", "geometries": list(geometries)}:
            for geometry in geometries:
                yield from _polygons_of(geometry)
        case {"type": "Polygon", "coordinates": [ring, *_]}:
            yield ring
        case {"type": "MultiPolygon", "coordinates": list(parts)}:
            for part in parts:
                yield part[0] if isinstance(part, list) and part else None
