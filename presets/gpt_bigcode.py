"""GPTBigCode's checkpoints: queries, keys and values in one matrix, which goes head by head unless they share a key."""

from keras_tfm.presets.io.translate import Fused, Names

NAMES = Names(
    {
        "embeddings.word": "wte",
        "embeddings.position": "wpe",
        "blocks.{n}.attention_norm": "h.{n}.ln_1",
        "blocks.{n}.attention.{query,key,value}": Fused("h.{n}.attn.c_attn", by_head="fused_groups"),
        "blocks.{n}.attention.project": "h.{n}.attn.c_proj",
        "blocks.{n}.mlp_norm": "h.{n}.ln_2",
        "blocks.{n}.mlp.{up,down}": "h.{n}.mlp.{c_fc,c_proj}",
        "norm": "ln_f",
    },
    prefix="transformer",
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
    },
)
