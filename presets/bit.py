"""BiT's checkpoints."""

from keras_tfm.presets.io.translate import Names

BLOCK = "encoder.stages.{n}.layers.{m}"
ROWS = {
    "embeddings.convolution": "embedder.convolution",
    "embeddings.norm.norm": "embedder.norm",
    "stages.{n}.blocks.{m}.convolutions.{0,1,2}": f"{BLOCK}.conv{{1,2,3}}",
    "stages.{n}.blocks.{m}.norms.{0,1,2}.norm": f"{BLOCK}.norm{{1,2,3}}",
    "stages.{n}.blocks.{m}.shortcut": f"{BLOCK}.downsample.conv",
    "stages.{n}.blocks.{m}.shortcut_norm.norm": f"{BLOCK}.downsample.norm",
    "norm.norm": "norm",
}

NAMES = {
    "": Names(ROWS, prefix="bit", heads={"ForImageClassification": {"head": "classifier.1"}}),
    "BitBackbone": Names({ours: f"bit.{theirs}" for ours, theirs in ROWS.items()}),
}
