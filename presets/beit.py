"""BEiT's checkpoints."""

from keras_tfm.presets.io.translate import Names
from keras_tfm.presets.vit import ROWS as VIT_ROWS

TABLE = "relative_position_bias.relative_position_bias_table"
INDEX = "relative_position_bias.relative_position_index"  # follows from the sizes
ROWS = VIT_ROWS | {
    "blocks.{n}.{attention,mlp}_scale": {"scale": "encoder.layer.{n}.{lambda_1,lambda_2}"},
    "blocks.{n}.relative": {"table": f"encoder.layer.{{n}}.attention.attention.{TABLE}"},
    "relative": {"table": f"encoder.{TABLE}"},
    "pooler": "pooler.layernorm",
}
NECK = {
    "neck.{upsample,norm,upsample_again}": "{fpn1.0,fpn1.1,fpn1.3}",
    "neck.upsample_second": "fpn2.0",
}
CONVOLUTIONS = {
    "head.pooled.{n}": "decode_head.psp_modules.{n}.1",
    "head.bottleneck": "decode_head.bottleneck",
    "head.lateral.{n}": "decode_head.lateral_convs.{n}",
    "head.smooth.{n}": "decode_head.fpn_convs.{n}",
    "head.merge": "decode_head.fpn_bottleneck",
    "auxiliary_head.convolutions.{n}": "auxiliary_head.convs.{n}",
    "auxiliary_head.both": "auxiliary_head.conv_cat",
}
SEGMENTATION = {
    **{f"{ours}.convolution": f"{theirs}.conv" for ours, theirs in CONVOLUTIONS.items()},
    **{f"{ours}.norm": f"{theirs}.bn" for ours, theirs in CONVOLUTIONS.items()},
    "{head,auxiliary_head}.project": "{decode_head,auxiliary_head}.classifier",
}
HEADS = {
    "ForImageClassification": {"head": "classifier"},
    "ForMaskedImageModeling": {"norm": "layernorm", "head": "lm_head"},
    "ForSemanticSegmentation": NECK | SEGMENTATION,
}
OPTIONS = {
    "heads": HEADS,
    "optional": ["pooler", "embeddings.mask_token"],
    "ignored": [f"encoder.{INDEX}", f"encoder.layer.{{n}}.attention.attention.{INDEX}"],
}
NAMES = Names(ROWS | NECK, prefix="beit", **OPTIONS)
