"""The outlines of COCO's annotations as masks, pixel by pixel those that pycocotools makes."""

import numpy as np

FINER = 5  # outlines are followed on a grid so much finer


def outlined(segmentation, height, width):
    """COCO's `segmentation` of an object -> its mask, bool (h, w).

    segmentation: a list of polygons [x0, y0, x1, y1, ...], which are united; or {"counts": [...]}, the lengths of runs
        down the columns.

    ValueError for anything else.
    """
    if isinstance(segmentation, dict) and isinstance(segmentation.get("counts"), list):
        return _from_runs(segmentation["counts"], height, width)
    shapes = segmentation if isinstance(segmentation, list | tuple) else [None]
    if any(not isinstance(shape, list | tuple | np.ndarray) or len(shape) < 6 or len(shape) % 2 for shape in shapes):
        raise ValueError(
            "segmentation must be a list of polygons [x0, y0, x1, y1, ...] or runs {'counts': [...]}, not "
            f"{segmentation!r:.80}; decode packed strings first"
        )
    mask = np.zeros((height, width), bool)
    for shape in shapes:
        mask |= _filled(shape, height, width)
    return mask


def _from_runs(counts, height, width):
    if sum(counts) != height * width:
        raise ValueError(f"the runs of a segmentation cover {sum(counts)} pixels of a picture of {height} x {width}")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def _filled(points, height, width):
    """The inside of a polygon. Going down a column, each place where the outline crosses it toggles in and out."""
    corners = (np.asarray(points, float).reshape(-1, 2) * FINER + 0.5).astype(int)
    edges = [_line(a, b) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
    x, y = np.concatenate(edges, 1)
    crossed = (np.where(x[1:] < x[:-1], x[1:], x[1:] - 1) + 0.5) / FINER - 0.5  # the column; whole in its middle only
    counts = (x[1:] != x[:-1]) & (np.floor(crossed) == crossed) & (crossed >= 0) & (crossed <= width - 1)
    rows = (np.minimum(y[1:], y[:-1]) + 0.5) / FINER - 0.5
    rows = np.ceil(np.clip(rows, 0, height)).astype(int)
    places = crossed[counts].astype(int) * height + rows[counts]
    toggles = np.bincount(places, minlength=height * width + 1)[:-1]
    return (np.cumsum(toggles) % 2 == 1).reshape(width, height).T


def _line(start, end):
    """The points of the finer grid from one to the other, both included, one for each step along the longer axis."""
    steps = abs(end - start)
    along = 0 if steps[0] >= steps[1] else 1
    backwards = start[along] > end[along]
    low, high = (end, start) if backwards else (start, end)
    t = np.arange(steps[along] + 1)
    slope = (high[1 - along] - low[1 - along]) / max(1, steps[along])
    points = np.empty((2, len(t)), int)
    points[along] = low[along] + t
    points[1 - along] = (low[1 - along] + slope * t + 0.5).astype(int)
    return points[:, ::-1] if backwards else points
