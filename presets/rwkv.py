"""RWKV's checkpoints."""

from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {
        "embeddings_norm": "blocks.0.pre_ln",
        "blocks.{n}.attention_norm": "blocks.{n}.ln1",
        "blocks.{n}.attention.{key,value,receptance}_shift": {
            "share": "blocks.{n}.attention.time_mix_{key,value,receptance}"
        },
        "blocks.{n}.attention.average": "blocks.{n}.attention",
        "blocks.{n}.attention.project": "blocks.{n}.attention.output",
        "blocks.{n}.mlp_norm": "blocks.{n}.ln2",
        "blocks.{n}.mlp.{key,receptance}_shift": {"share": "blocks.{n}.feed_forward.time_mix_{key,receptance}"},
        "blocks.{n}.mlp.{up,receptance,down}": "blocks.{n}.feed_forward.{key,receptance,value}",
        "norm": "ln_out",
    },
    prefix="rwkv",
)
