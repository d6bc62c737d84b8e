"""DETR's checkpoints, and those of detectors that are stored alike."""

from keras_tfm.presets.bart import BLOCK
from keras_tfm.presets.io.translate import Names

SIDES = "{encoder,decoder}"
PARTS = {"extractor": "backbone.conv_encoder.model"}
PLACES = {"places.{columns,rows}": "backbone.position_embedding.{column_embeddings,row_embeddings}"}
ROWS = PLACES | {
    "project": "input_projection",
    "queries": "query_position_embeddings",
    **{f"{SIDES}.blocks.{{n}}.{ours}": f"{SIDES}.layers.{{n}}.{theirs}" for ours, theirs in BLOCK.items()},
    f"{SIDES}.norm": f"{SIDES}.layernorm",
}
OBJECTS = {"classes": "class_labels_classifier", "boxes.dense.{n}": "bbox_predictor.layers.{n}"}
MASKS = {
    "looks.{query,key}": "bbox_attention.{q_linear,k_linear}",
    "masks.convolutions.{0,1,2,3,4}": "mask_head.lay{1,2,3,4,5}",
    "masks.norms.{0,1,2,3,4}": "mask_head.gn{1,2,3,4,5}",
    "masks.lateral.{0,1,2}": "mask_head.adapter{1,2,3}",
    "masks.project": "mask_head.out_lay",
}

NAMES = {
    "": Names(ROWS, prefix="model", heads={"ForObjectDetection": OBJECTS}, parts=PARTS),
    "DetrForSegmentation": Names(
        ROWS,
        prefix="detr.model",
        heads={"ForSegmentation": {k: f"detr.{v}" for k, v in OBJECTS.items()} | MASKS},
        parts=PARTS,
    ),
}
