"""ViT-MAE's checkpoints."""

from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.vit import BLOCK, ROWS

DECODER = {
    "decoder": {"mask_token": "decoder.mask_token", "position_embeddings": "decoder.decoder_pos_embed"},
    "decoder.embed": "decoder.decoder_embed",
    **{f"decoder.blocks.{{n}}.{ours}": f"decoder.decoder_layers.{{n}}.{theirs}" for ours, theirs in BLOCK.items()},
    "decoder.norm": "decoder.decoder_norm",
    "decoder.project": "decoder.decoder_pred",
}
NAMES = Names(ROWS, prefix="vit", heads={"ForPreTraining": DECODER})
