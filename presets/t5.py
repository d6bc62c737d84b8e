"""T5's checkpoints, and those of the family that are stored alike."""

from keras_tfm.presets.io.translate import Names


def half(ours, theirs, cross_attention=False):
    """The rows for the blocks of one half."""
    sublayers = {"attention": "SelfAttention"} | ({"cross_attention": "EncDecAttention"} if cross_attention else {})
    block = f"{theirs}block.{{n}}.layer"
    rows = {f"{ours}norm": f"{theirs}final_layer_norm"}
    for i, (name, stored) in enumerate(sublayers.items()):
        rows[f"{ours}blocks.{{n}}.{name}.{{query,key,value,project}}"] = f"{block}.{i}.{stored}.{{q,k,v,o}}"
        rows[f"{ours}blocks.{{n}}.{name}_norm"] = f"{block}.{i}.layer_norm"
    mlp = f"{block}.{len(sublayers)}"
    rows[f"{ours}blocks.{{n}}.mlp_norm"] = f"{mlp}.layer_norm"
    rows[f"{ours}blocks.{{n}}.mlp.{{up,down}}"] = f"{mlp}.DenseReluDense.{{wi,wo}}"
    return rows, {f"{ours}blocks.{{n}}.mlp.{{gate,up}}": f"{mlp}.DenseReluDense.{{wi_0,wi_1}}"}


def shared_biases(ours, theirs):
    return {f"{ours}relative.table": f"{theirs}block.0.layer.0.SelfAttention.relative_attention_bias"}


def tables(name, biases=shared_biases):
    """The tables of an architecture's classes.

    Args:
        biases: makes the row for the biases by distance of one half, of the beginnings of our and their names.
    """
    alone, alone_gated = half("", "encoder.")
    encoder, encoder_gated = half("encoder.", "encoder.")
    decoder, decoder_gated = half("decoder.", "decoder.", cross_attention=True)
    alone |= {"embeddings": "shared"} | biases("", "encoder.")
    both = encoder | decoder | {"encoder.embeddings": "shared"}
    both |= biases("encoder.", "encoder.") | biases("decoder.", "decoder.")
    gated = {"is_gated_act": encoder_gated | decoder_gated}
    copies = {"shared.weight": ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]}
    other_heads = ["lm_head", "qa_outputs"]  # beside which there is no prefix
    unused = ["decoder.block.{n}.layer.1.EncDecAttention.relative_attention_bias"]  # in the first checkpoints
    heads = {
        "ForConditionalGeneration": {"head": "lm_head"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
        "ForTokenClassification": {"head": "classifier"},
        "ForSequenceClassification": {
            "head.dense": "classification_head.dense",
            "head.project": "classification_head.out_proj",
        },
    }
    encoder_options = {"where": {"is_gated_act": alone_gated}, "heads": heads, "copies": copies}
    encoder_options["ignored"] = [*other_heads, "decoder"]
    both_options = {"where": gated, "heads": heads, "copies": copies, "ignored": other_heads + unused}
    return {
        "": Names(both, **both_options),
        f"{name}ForSequenceClassification": Names(both, prefix="transformer", **both_options),
        f"{name}EncoderModel": Names(alone, **encoder_options),
        f"{name}ForTokenClassification": Names(alone, prefix="transformer", **encoder_options),
    }


NAMES = tables("T5")
