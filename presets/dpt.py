"""DPT's checkpoints."""

from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.vit import ROWS

FUSION = "neck.fusion_stage.layers.{n}"
NECK = {
    "neck.reassemble.{n}.readout": "neck.reassemble_stage.readout_projects.{n}.0",
    "neck.reassemble.{n}.project": "neck.reassemble_stage.layers.{n}.projection",
    "neck.reassemble.{n}.resize": "neck.reassemble_stage.layers.{n}.resize",
    "neck.convolutions": "neck.convs",
    "neck.fusion.{n}.{skip,residual}.convolutions.{0,1}": (
        f"{FUSION}.{{residual_layer1,residual_layer2}}.{{convolution1,convolution2}}"
    ),
    "neck.fusion.{n}.{skip,residual}.norms.{0,1}": (
        f"{FUSION}.{{residual_layer1,residual_layer2}}.{{batch_norm1,batch_norm2}}"
    ),
    "neck.fusion.{n}.project": f"{FUSION}.projection",
}
DEPTH = {"head.project": "head.projection", "head.convolutions.{0,1,2}": "head.head.{0,2,4}"}
CLASSES = {
    "{head,auxiliary_head}.convolution.{convolution,norm}": "{head,auxiliary_head}.head.{0,1}",
    "{head,auxiliary_head}.project": "{head,auxiliary_head}.head.4",
}

NAMES = Names(
    ROWS | NECK | DEPTH,  # where another backbone takes the encoder's place, all belongs to one model
    prefix="dpt",
    where={"is_hybrid": {"embeddings.patches": "embeddings.projection"}},
    heads={"ForDepthEstimation": NECK | DEPTH, "ForSemanticSegmentation": NECK | CLASSES},
    optional=["pooler"],
    parts={"extractor": "backbone", "embeddings.extractor": "embeddings.backbone"},
)
