"""The checkpoints of timm's ResNets, alone or inside detectors."""

from keras_tfm.presets.io.translate import Names

BLOCK = "stages.{0,1,2,3}.blocks.{m}"
ROWS = {
    "embeddings.{convolution,norm}": "{conv1,bn1}",
    f"{BLOCK}.convolutions.{{0,1,2}}.convolution": "layer{1,2,3,4}.{m}.conv{1,2,3}",
    f"{BLOCK}.convolutions.{{0,1,2}}.norm": "layer{1,2,3,4}.{m}.bn{1,2,3}",
    f"{BLOCK}.shortcut.{{convolution,norm}}": "layer{1,2,3,4}.{m}.downsample.{0,1}",
}

NAMES = Names(ROWS, prefix="_backbone")
