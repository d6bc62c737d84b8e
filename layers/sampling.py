"""Values of feature maps between their pixels."""

from keras import ops


def sample(maps, points):
    """The values of maps at points, interpolated between the four nearest pixels; outside of a map they are 0.

    maps (G, h, w, D), points (G, P, 2) as x and y, 0 and 1 at the edges of the map -> (G, P, D).
    """
    groups, height, width, depth = ops.shape(maps)
    flat = ops.reshape(maps, (groups * height * width, depth))
    start = ops.arange(groups)[:, None] * (height * width)
    size = ops.cast(ops.stack([width, height]), points.dtype)
    place = points * size - 0.5
    first = ops.floor(place)
    part = place - first  # how far the point is from the first pixel
    sampled = 0.0
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = (ops.cast(first[..., i], "int32") + d for i, d in enumerate((dx, dy)))
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        weight = ops.abs(1 - dx - part[..., 0]) * ops.abs(1 - dy - part[..., 1])
        index = start + ops.clip(y, 0, height - 1) * width + ops.clip(x, 0, width - 1)
        weight = ops.cast(ops.where(inside, weight, 0.0), maps.dtype)
        sampled = sampled + ops.take(flat, index, axis=0) * weight[..., None]
    return sampled
