"""Llama's checkpoints."""

from keras_tfm.presets.io.translate import Names

ROWS = {
    "embeddings": "embed_tokens",
    "blocks.{n}.attention_norm": "layers.{n}.input_layernorm",
    "blocks.{n}.attention.{query,key,value,project}": "layers.{n}.self_attn.{q_proj,k_proj,v_proj,o_proj}",
    "blocks.{n}.mlp_norm": "layers.{n}.post_attention_layernorm",
    "blocks.{n}.mlp.{gate,up,down}": "layers.{n}.mlp.{gate_proj,up_proj,down_proj}",
}
HEADS = {
    "ForCausalLM": {"head": "lm_head"},
    "ForSequenceClassification": {"head": "score"},
    "ForQuestionAnswering": {"head": "qa_outputs"},
}


def table(prefix, rows=None):
    """Llama's names and those of a variant's own `rows`, with the backbone's name inside a head."""
    return Names(ROWS | (rows or {}), prefix=prefix, heads=HEADS, ignored=["layers.{n}.self_attn.rotary_emb.inv_freq"])


NAMES = {"LlamaForQuestionAnswering": table("transformer"), "": table("model")}
