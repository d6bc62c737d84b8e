"""Mixtral's checkpoints: as Llama's, with every expert by itself."""

from keras_tfm.presets.llama import table

NAMES = table(
    "model",
    {
        "blocks.{n}.mlp.router": "layers.{n}.block_sparse_moe.gate",
        "blocks.{n}.mlp.experts.{e}.{gate,down,up}": "layers.{n}.block_sparse_moe.experts.{e}.{w1,w2,w3}",
    },
)
