"""What recipes are made of: cases (a configuration and classes), the calls to record, and inputs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from seeded import integers, weights


@dataclass
class Call:
    """One forward pass to record, or with `greedy` the tokens of a greedy search for so many new ones, with `beams`
    besides of a beam search, or with `labels` the loss."""

    inputs: dict
    options: dict = field(default_factory=dict)
    greedy: int = 0
    beams: int = 1
    real_tokens_only: bool = False  # padded positions hold nothing meaningful (causal models padded on the left)
    labels: dict = field(default_factory=dict)
    arrange: Callable | None = None  # the outputs -> those to record, where the reference has them in another form
    learns: bool = False  # record the loss that it computes without labels, from what it was given
    method: str = ""  # what to call, with the inputs one after the other, instead of the model itself


@dataclass
class Case:
    """A configuration, the classes to try it with, and which calls for each: `calls(class name) -> [Call]`."""

    name: str
    config: dict
    classes: list
    calls: Callable
    reference: str = "4.39"  # the version of Transformers that records it
    factors: dict = field(default_factory=dict)  # {end of a tensor's name: what its seeded values are multiplied by}


def text(*shape, vocabulary, types=0):
    """input_ids of this shape (never 0) and, with `types`, token_type_ids."""
    name = f"text{shape}"
    inputs = {"input_ids": integers(name, shape, 1, vocabulary) if vocabulary > 2 else integers(name, shape, 0, 2)}
    if types:
        inputs["token_type_ids"] = integers(f"{name}.types", shape, 0, types)
    return inputs


def padded(inputs, side="right", padding=0):
    """Pads every second text (along the last axis) by two tokens and adds the attention_mask."""
    ids = inputs["input_ids"].copy()
    mask = np.ones_like(ids)
    ends = slice(-2, None) if side == "right" else slice(None, 2)
    mask[1::2, ..., ends] = 0
    ids[mask == 0] = padding
    return inputs | {"input_ids": ids, "attention_mask": mask}


def image(batch, height, width, channels=3, **others):
    """pixel_values (batch, channels, height, width), and other inputs."""
    return {"pixel_values": weights("pixel_values", (batch, channels, height, width))} | others


def objects(counts, classes, masks=None):
    """Labels of so many objects in each picture: class_labels (B, N), -100 where there is none, boxes (B, N, 4) and,
    for maps of a size (h, w), masks."""
    shape = len(counts), max(counts)
    names = integers("class_labels", shape, 0, classes)
    names[np.arange(shape[1]) >= np.array(counts)[:, None]] = -100
    boxes = (0.3 + 0.4 * integers("boxes", (*shape, 4), 0, 100) / 100).astype("float32")
    drawn = {} if masks is None else {"masks": integers("masks", (*shape, *masks), 0, 2)}
    return {"class_labels": names, "boxes": boxes} | drawn
