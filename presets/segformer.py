"""SegFormer's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = "encoder.block.{n}.{m}"
ROWS = {
    "stages.{n}.downsample": "encoder.patch_embeddings.{n}.proj",
    "stages.{n}.downsample_norm": "encoder.patch_embeddings.{n}.layer_norm",
    "stages.{n}.blocks.{m}.{attention,mlp}_norm": f"{BLOCK}" + ".layer_norm_{1,2}",
    "stages.{n}.blocks.{m}.attention": f"{BLOCK}.attention.self",
    "stages.{n}.blocks.{m}.attention.{downsample,norm}": f"{BLOCK}" + ".attention.self.{sr,layer_norm}",
    "stages.{n}.blocks.{m}.attention.project": f"{BLOCK}.attention.output.dense",
    "stages.{n}.blocks.{m}.mlp.{up,down}": f"{BLOCK}" + ".mlp.{dense1,dense2}",
    "stages.{n}.blocks.{m}.mlp.convolution": f"{BLOCK}.mlp.dwconv.dwconv",
    "stages.{n}.norm": "encoder.layer_norm.{n}",
}
DECODER = {
    "laterals.{n}": "linear_c.{n}.proj",
    "fuse.convolution": "linear_fuse",
    "fuse.norm": "batch_norm",
    "project": "classifier",
}
HEADS = {
    "ForImageClassification": {"head": "classifier"},
    "ForSemanticSegmentation": {f"head.{ours}": f"decode_head.{theirs}" for ours, theirs in DECODER.items()},
}
NAMES = {"": Names(ROWS, prefix="segformer", heads=HEADS), "SegformerDecodeHead": Names(DECODER)}
