"""UMT5's checkpoints: T5's, with biases in each block."""

from keras_tfm.presets.t5 import tables


def biases_of_each_block(ours, theirs):
    table = f"{theirs}block.{{n}}.layer.0.SelfAttention.relative_attention_bias"
    return {f"{ours}blocks.{{n}}.attention.relative.table": table}


NAMES = tables("UMT5", biases_of_each_block)
