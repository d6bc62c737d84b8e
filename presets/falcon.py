"""Falcon's checkpoints: one matrix holds, for each key/value head, its queries, then its key and its value."""

from keras_tfm.presets.io.translate import Fused, Names

NAMES = Names(
    {
        "embeddings": "word_embeddings",
        "blocks.{n}.attention_norm": "h.{n}.input_layernorm",
        "blocks.{n}.attention.{query,key,value}": Fused("h.{n}.self_attention.query_key_value", by_head="key_heads"),
        "blocks.{n}.attention.project": "h.{n}.self_attention.dense",
        "blocks.{n}.mlp_norm": "h.{n}.post_attention_layernorm",
        "blocks.{n}.mlp.{up,down}": "h.{n}.mlp.{dense_h_to_4h,dense_4h_to_h}",
        "norm": "ln_f",
    },
    prefix="transformer",
    where={"two_norms": {"blocks.{n}.{attention,mlp}_norm": "h.{n}.{ln_attn,ln_mlp}"}},
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
)
