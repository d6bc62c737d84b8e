"""VideoMAE: every head, hidden tubes, both losses, a norm behind the blocks, and no biases."""

import numpy as np
from recipe import Call, Case
from seeded import integers, weights

CONFIG = {
    "image_size": 12,
    "patch_size": 4,
    "num_frames": 4,
    "tubelet_size": 2,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "decoder_hidden_size": 12,
    "decoder_num_hidden_layers": 2,
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 20,
}
TUBES = np.argsort(integers("tubes", (2, 18), 0, 1000), axis=1, kind="stable") % 18 < 11  # of each 11 of 18 are hidden
VIDEO = {"pixel_values": weights("pixel_values", (2, 4, 3, 12, 12))}
HIDDEN = VIDEO | {"bool_masked_pos": TUBES}


def in_place(compact, there):
    """What the reference returns for some of the tubes alone, at their places, and zero elsewhere."""
    whole = np.zeros((*TUBES.shape, compact.shape[-1]), "float32")
    whole[there] = compact.numpy().reshape(-1, compact.shape[-1])
    return whole


def completed(outputs):
    return {"logits": in_place(outputs["logits"], TUBES)}


def seen(outputs):
    return {"last_hidden_state": in_place(outputs["last_hidden_state"], ~TUBES)}


def calls(name):
    if name == "VideoMAEForPreTraining":
        return [Call(HIDDEN, arrange=completed), Call(HIDDEN, learns=True)]
    if name == "VideoMAEForVideoClassification":
        return [Call(VIDEO), Call(VIDEO, labels={"labels": np.array([0, 1])})]
    return [Call(VIDEO, {"output_hidden_states": True, "output_attentions": True}), Call(HIDDEN, arrange=seen)]


CASES = [
    Case("base", CONFIG, ["VideoMAEModel", "VideoMAEForVideoClassification", "VideoMAEForPreTraining"], calls),
    Case(
        "plain",
        CONFIG | {"use_mean_pooling": False, "qkv_bias": False, "norm_pix_loss": False, "num_labels": 3},
        ["VideoMAEForVideoClassification", "VideoMAEForPreTraining"],
        lambda name: calls(name)[:1] if name == "VideoMAEForVideoClassification" else calls(name),
    ),
    Case(
        "grey",
        CONFIG | {"num_channels": 1, "num_hidden_layers": 1},
        ["VideoMAEForPreTraining"],
        lambda name: [
            Call({"pixel_values": weights("pixel_values", (2, 4, 1, 12, 12)), "bool_masked_pos": TUBES}, learns=True)
        ],
    ),
]
