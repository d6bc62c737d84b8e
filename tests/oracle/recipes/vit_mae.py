"""ViT-MAE: with the decoder and without, both losses, and other shares of hidden patches."""

from recipe import Call, Case, image
from seeded import weights

CONFIG = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "image_size": 16,
    "patch_size": 4,
    "decoder_hidden_size": 16,
    "decoder_num_hidden_layers": 2,
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 24,
}


def calls(name):
    inputs = image(2, 16, 16, noise=weights("noise", (2, 16)))
    if name == "ViTMAEForPreTraining":
        return [Call(inputs), Call(inputs, learns=True)]
    return [Call(inputs, {"output_hidden_states": True, "output_attentions": True})]


CASES = [
    Case("base", CONFIG, ["ViTMAEModel", "ViTMAEForPreTraining"], calls),
    Case(
        "normalised",
        CONFIG | {"norm_pix_loss": True, "mask_ratio": 0.4, "qkv_bias": False},
        ["ViTMAEForPreTraining"],
        lambda name: [Call(image(2, 16, 16, noise=weights("noise", (2, 16))), learns=True)],
    ),
]
