"""ResNet's checkpoints."""

from keras_tfm.presets.io.translate import Names

CONVOLUTIONS = "encoder.stages.{n}.layers.{m}.layer.{i}"
ROWS = {
    "embeddings": "embedder.embedder",
    "embeddings.norm": "embedder.embedder.normalization",
    "stages.{n}.blocks.{m}.convolutions.{i}": CONVOLUTIONS,
    "stages.{n}.blocks.{m}.convolutions.{i}.norm": f"{CONVOLUTIONS}.normalization",
    "stages.{n}.blocks.{m}.shortcut": "encoder.stages.{n}.layers.{m}.shortcut",
    "stages.{n}.blocks.{m}.shortcut.norm": "encoder.stages.{n}.layers.{m}.shortcut.normalization",
}

NAMES = Names(ROWS, prefix="resnet", heads={"ForImageClassification": {"head": "classifier.1"}})
