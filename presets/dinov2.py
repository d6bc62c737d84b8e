"""DINOv2's checkpoints."""

from keras_tfm.presets.io.translate import Fused, Names
from keras_tfm.presets.vit import ROWS as VIT_ROWS

ROWS = VIT_ROWS | {
    "blocks.{n}.attention_norm": "encoder.layer.{n}.norm1",
    "blocks.{n}.mlp_norm": "encoder.layer.{n}.norm2",
    "blocks.{n}.{attention,mlp}_scale": {"scale": "encoder.layer.{n}.{layer_scale1,layer_scale2}.lambda1"},
    "blocks.{n}.mlp.{up,down}": "encoder.layer.{n}.mlp.{fc1,fc2}",
}
GATED = {
    "blocks.{n}.mlp.{gate,up}": Fused("encoder.layer.{n}.mlp.weights_in"),
    "blocks.{n}.mlp.down": "encoder.layer.{n}.mlp.weights_out",
}
HEADS = {"ForImageClassification": {"head": "classifier"}}
NAMES = Names(ROWS, prefix="dinov2", where={"use_swiglu_ffn": GATED}, heads=HEADS, optional=["embeddings.mask_token"])
