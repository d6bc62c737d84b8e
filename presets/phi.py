"""Phi's checkpoints."""

from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {
        "embeddings": "embed_tokens",
        "blocks.{n}.attention_norm": "layers.{n}.input_layernorm",
        "blocks.{n}.attention.{query,key,value,project}": "layers.{n}.self_attn.{q_proj,k_proj,v_proj,dense}",
        "blocks.{n}.attention.{query_norm,key_norm}": "layers.{n}.self_attn.{q_layernorm,k_layernorm}",
        "blocks.{n}.mlp.{up,down}": "layers.{n}.mlp.{fc1,fc2}",
        "norm": "final_layernorm",
    },
    prefix="model",
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
    },
    ignored=["layers.{n}.self_attn.rotary_emb.inv_freq"],
)
