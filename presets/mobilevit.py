"""MobileViT's checkpoints."""

from keras_tfm.presets.io.translate import Names

STAGE = "encoder.layer.{n}"
LAYER = f"{STAGE}.transformer.layer.{{m}}"
ROWS = {
    "embeddings": "conv_stem",
    "embeddings.norm": "conv_stem.normalization",
    "stages.{n}.blocks.{m}.{up,depthwise,down}": f"{STAGE}.layer.{{m}}.{{expand_1x1,conv_3x3,reduce_1x1}}",
    "stages.{n}.blocks.{m}.{up,depthwise,down}.norm": (
        f"{STAGE}.layer.{{m}}.{{expand_1x1,conv_3x3,reduce_1x1}}.normalization"
    ),
    "stages.{n}.downsample.{up,depthwise,down}": f"{STAGE}.downsampling_layer.{{expand_1x1,conv_3x3,reduce_1x1}}",
    "stages.{n}.downsample.{up,depthwise,down}.norm": (
        f"{STAGE}.downsampling_layer.{{expand_1x1,conv_3x3,reduce_1x1}}.normalization"
    ),
    "stages.{n}.{convolution,project,fuse}": f"{STAGE}.{{conv_kxk,conv_projection,fusion}}",
    "stages.{n}.{convolution,project,fuse}.norm": f"{STAGE}.{{conv_kxk,conv_projection,fusion}}.normalization",
    "stages.{n}.embeddings": f"{STAGE}.conv_1x1.convolution",
    "stages.{n}.norm": f"{STAGE}.layernorm",
    "stages.{n}.blocks.{m}.attention_norm": f"{LAYER}.layernorm_before",
    "stages.{n}.blocks.{m}.attention": f"{LAYER}.attention.attention",
    "stages.{n}.blocks.{m}.attention.project": f"{LAYER}.attention.output.dense",
    "stages.{n}.blocks.{m}.mlp_norm": f"{LAYER}.layernorm_after",
    "stages.{n}.blocks.{m}.mlp.{up,down}": f"{LAYER}.{{intermediate,output}}.dense",
    "neck": "conv_1x1_exp",
    "neck.norm": "conv_1x1_exp.normalization",
}
SEGMENTATION = {
    "head.convolutions.{n}": "segmentation_head.aspp.convs.{n}",
    "head.convolutions.{n}.norm": "segmentation_head.aspp.convs.{n}.normalization",
    "head.pooler": "segmentation_head.aspp.convs.4.conv_1x1",
    "head.pooler.norm": "segmentation_head.aspp.convs.4.conv_1x1.normalization",
    "head.project": "segmentation_head.aspp.project",
    "head.project.norm": "segmentation_head.aspp.project.normalization",
    "head.classifier": "segmentation_head.classifier.convolution",
}
HEADS = {"ForImageClassification": {"head": "classifier"}, "ForSemanticSegmentation": SEGMENTATION}
NAMES = Names(ROWS, prefix="mobilevit", heads=HEADS)
