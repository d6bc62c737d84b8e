"""Deformable DETR's checkpoints."""

from keras_tfm.presets.bart import BLOCK
from keras_tfm.presets.detr import PARTS, PLACES
from keras_tfm.presets.io.translate import Names

OURS, THEIRS = "{offsets,score,value,project}", "{sampling_offsets,attention_weights,value_proj,output_proj}"
BLOCKS = {
    f"encoder.blocks.{{n}}.attention.{OURS}": f"encoder.layers.{{n}}.self_attn.{THEIRS}",
    f"decoder.blocks.{{n}}.cross_attention.{OURS}": f"decoder.layers.{{n}}.encoder_attn.{THEIRS}",
    **{
        f"{{encoder,decoder}}.blocks.{{n}}.{ours}": f"{{encoder,decoder}}.layers.{{n}}.{theirs}"
        for ours, theirs in BLOCK.items()
    },
}
HEAD = {"classes.{n}": "class_embed.{n}", "boxes.{n}.dense.{m}": "bbox_embed.{n}.layers.{m}"}
ROWS = BLOCKS | {
    "levels.{n}.{convolution,norm}": "input_proj.{n}.{0,1}",
    "marks": {"embeddings": "level_embed"},
    "queries": "query_position_embeddings",
    "points": "reference_points",
    "proposals.{project,norm}": "{enc_output,enc_output_norm}",
    "proposals.{queries,queries_norm}": "{pos_trans,pos_trans_norm}",
    **{f"decoder.{ours}": f"decoder.{theirs}" for ours, theirs in HEAD.items()},
}
# Layers of the head that the decoder uses are stored twice, or once under either name.
LENT = ["class_embed.{n}", "bbox_embed.{n}"]

NAMES = Names(
    ROWS | PLACES,
    prefix="model",
    heads={"ForObjectDetection": HEAD},
    copies={f"decoder.{name}": [name] for name in LENT},
    ignored=[f"decoder.{name}" for name in LENT],
    parts=PARTS,
)
