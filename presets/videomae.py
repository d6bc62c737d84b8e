"""VideoMAE's checkpoints: the biases of queries and values lie beside the layers."""

from keras_tfm.presets import vit
from keras_tfm.presets.io.translate import Names

ATTENTION = {"kernel": "attention.attention.{query,value}.weight", "bias": "attention.attention.{q,v}_bias"}
ROWS = vit.ROWS | {
    "blocks.{n}.attention.{query,value}": {name: f"encoder.layer.{{n}}.{tensor}" for name, tensor in ATTENTION.items()}
}
DECODER = {
    "decoder": {"mask_token": "mask_token", "position_embeddings": "position_embeddings"},
    "decoder.embed": "encoder_to_decoder",
    **{f"decoder.blocks.{{n}}.{ours}": f"decoder.decoder_layers.{{n}}.{theirs}" for ours, theirs in vit.BLOCK.items()},
    "decoder.blocks.{n}.attention.{query,value}": {
        name: f"decoder.decoder_layers.{{n}}.{tensor}" for name, tensor in ATTENTION.items()
    },
    "decoder.norm": "decoder.norm",
    "decoder.project": "decoder.head",
}
NAMES = Names(
    ROWS,
    prefix="videomae",
    heads={"ForPreTraining": DECODER, "ForVideoClassification": {"norm": "fc_norm", "head": "classifier"}},
    unsaved=["embeddings.position_embeddings", "position_embeddings"],  # which follow from a formula
)
