"""BLOOM's checkpoints: queries, keys and values in one matrix, head by head."""

from keras_tfm.presets.io.translate import Fused, Names

NAMES = Names(
    {
        "embeddings.word": "word_embeddings",
        "embeddings.norm": "word_embeddings_layernorm",
        "blocks.{n}.attention_norm": "h.{n}.input_layernorm",
        "blocks.{n}.attention.{query,key,value}": Fused("h.{n}.self_attention.query_key_value", by_head="n_head"),
        "blocks.{n}.attention.project": "h.{n}.self_attention.dense",
        "blocks.{n}.mlp_norm": "h.{n}.post_attention_layernorm",
        "blocks.{n}.mlp.{up,down}": "h.{n}.mlp.{dense_h_to_4h,dense_4h_to_h}",
        "norm": "ln_f",
    },
    prefix="transformer",
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
)
