"""GPT-NeoX's checkpoints: queries, keys and values in one matrix, head by head."""

from keras_tfm.presets.io.translate import Fused, Names

NAMES = Names(
    {
        "embeddings": "embed_in",
        "blocks.{n}.attention_norm": "layers.{n}.input_layernorm",
        "blocks.{n}.attention.{query,key,value}": Fused(
            "layers.{n}.attention.query_key_value", by_head="num_attention_heads"
        ),
        "blocks.{n}.attention.project": "layers.{n}.attention.dense",
        "blocks.{n}.mlp_norm": "layers.{n}.post_attention_layernorm",
        "blocks.{n}.mlp.{up,down}": "layers.{n}.mlp.{dense_h_to_4h,dense_4h_to_h}",
        "norm": "final_layer_norm",
    },
    prefix="gpt_neox",
    heads={
        "ForCausalLM": {"head": "embed_out"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    # The causal mask and the waves of the rotation, which old checkpoints carry.
    ignored=[
        "layers.{n}.attention.bias",
        "layers.{n}.attention.masked_bias",
        "layers.{n}.attention.rotary_emb.inv_freq",
    ],
)
