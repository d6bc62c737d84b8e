"""Writes tests/fixtures/images.json: what PyTorch makes of maps, by resizing, pooling, convolutions and norms.

    pip install transformers==4.39.3 torch "numpy<2"        (in a virtual environment of its own)
    python tests/oracle/make_images.py

Maps and weights are seeded from their names (seeded.py) on both sides.
"""

import json
from pathlib import Path

import torch
from make import packed
from seeded import weights
from torch.nn import functional as F

FILE = Path(__file__).parents[1] / "fixtures" / "images.json"

# Height and width before and after: up, down, both, odd, by whole numbers, from and to one pixel, the same.
SIZES = [((4, 6), (9, 13)), ((9, 13), (4, 6)), ((5, 7), (7, 5)), ((3, 5), (6, 15)), ((1, 4), (3, 1)), ((5, 7), (5, 7))]
SCALES = [((5, 7), (2.0, 1.5)), ((7, 9), (0.4, 0.7)), ((4, 4), (1.3, 2.6))]
STAYS = ((5, 7), (1.1, 1.1))  # a scale, and sizes that stay: PyTorch heeds it in one mode alone


def resized():
    for old, new in SIZES:
        for mode in ("nearest", "bilinear", "bicubic"):
            for align_corners in (None,) if mode == "nearest" else (False, True):
                options = {"mode": mode, "align_corners": align_corners}
                yield old, new, None, options, F.interpolate(maps(1, 2, *old), size=new, **options)
    cases = [(*case, mode) for case in SCALES for mode in ("nearest", "bilinear", "bicubic")]
    for old, scale, mode in [*cases, (*STAYS, "bicubic")]:
        outputs = F.interpolate(maps(1, 2, *old), scale_factor=scale, mode=mode, recompute_scale_factor=False)
        yield old, tuple(outputs.shape[2:]), scale, {"mode": mode, "align_corners": None}, outputs


def maps(*shape):
    return torch.from_numpy(weights("maps", shape))


def resizes():
    names = ("old", "new", "scale", "options", "outputs")
    return [dict(zip(names, [*case[:-1], packed(case[-1])], strict=True)) for case in resized()]


def pools():
    cases = [(size, strides, border) for size, strides in ((2, 2), (3, 2), (3, 1)) for border in (0, 1)]
    return [
        {"options": case, "outputs": packed(F.max_pool2d(maps(1, 2, 7, 8), *case[:2], padding=case[2]))}
        for case in cases
    ]


CONVOLUTIONS = [
    {"kernel_size": size, "strides": strides, "dilation_rate": dilation, "padding": padding}
    for size, strides, dilation, padding in [
        (3, 1, 1, None),
        (3, 2, 1, None),
        (4, 1, 1, None),
        (5, 2, 1, 1),
        (1, 2, 1, None),
        (3, 1, 2, None),
        (3, 1, 1, 0),
        (3, 2, 1, (0, 1)),
        (5, 2, 1, (1, 2)),
        (3, 2, 1, "same"),
        (3, 1, 2, "same"),
    ]
]


def convolutions():
    found = []
    for options in CONVOLUTIONS:
        for groups in (1, 2, 4):  # 4: each channel on its own
            kernel = torch.from_numpy(weights("kernel.weight", (4, 4 // groups, *[options["kernel_size"]] * 2)))
            bias = torch.from_numpy(weights("bias", (4,)))
            outputs = convolved(maps(1, 4, 8, 9), kernel, bias, groups, **options)
            found.append({"options": options, "groups": groups, "outputs": packed(outputs)})
    return found


def convolved(x, kernel, bias, groups, kernel_size, strides, dilation_rate, padding):
    reach = dilation_rate * (kernel_size - 1)
    if padding == "same":  # as TensorFlow documents it: as few zeros as give ceil(size / strides), the odd one behind
        missing = [max((-(-n // strides) - 1) * strides + reach + 1 - n, 0) for n in x.shape[2:]]
        sides = [side for n in reversed(missing) for side in (n // 2, n - n // 2)]
    elif isinstance(padding, tuple):
        sides = padding * 2
    else:
        sides = [reach // 2 if padding is None else padding] * 4
    return F.conv2d(F.pad(x, sides), kernel, bias, strides, 0, dilation_rate, groups)


def norms():
    """A batch normalisation that sees three batches, and one more when it has learned."""
    norm = torch.nn.BatchNorm2d(3, eps=0.01, momentum=0.25)
    for name, value in norm.state_dict().items():
        if name != "num_batches_tracked":
            value.copy_(torch.from_numpy(weights(name, tuple(value.shape))))
    batches = [3 * torch.from_numpy(weights(f"batch{i}", (2, 3, 2, 4))) + i for i in range(4)]
    frozen = norm.eval()(batches[0])
    outputs = [norm.train()(batch) for batch in batches[:3]]
    return {
        "frozen": packed(frozen),
        "training": [packed(x) for x in outputs],
        "evaluation": packed(norm.eval()(batches[3])),
        "running_mean": packed(norm.running_mean),
        "running_var": packed(norm.running_var),
    }


@torch.no_grad()
def main():
    recorded = {
        "resize": resizes(),
        "pixel_shuffle": packed(F.pixel_shuffle(maps(2, 18, 2, 3), 3)),
        "max_pool": pools(),
        "convolutions": convolutions(),
        "norm": norms(),
    }
    FILE.write_text(json.dumps(recorded) + "\n")
    print(f"{FILE.name}: {FILE.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main()
