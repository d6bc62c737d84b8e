"""PoolFormer's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = "encoder.block.{n}.{m}"
ROWS = {
    "stages.{n}.downsample": "encoder.patch_embeddings.{n}.projection",
    "stages.{n}.blocks.{m}.{pool,mlp}_norm": f"{BLOCK}" + ".{before,after}_norm",
    "stages.{n}.blocks.{m}.mlp.{up,down}": f"{BLOCK}" + ".output.{conv1,conv2}",
    "stages.{n}.blocks.{m}.{pool,mlp}_scale": {"scale": f"{BLOCK}" + ".layer_scale_{1,2}"},
}
NAMES = Names(ROWS, prefix="poolformer", heads={"ForImageClassification": {"head": "classifier"}})
