"""OpenAI GPT's checkpoints: dense layers are stored as (in, out), queries, keys and values in one matrix."""

from keras_tfm.presets.io.translate import Conv1D, Fused, Names

NAMES = Names(
    {
        "embeddings.word": "tokens_embed",
        "embeddings.position": "positions_embed",
        "blocks.{n}.attention.{query,key,value}": Fused(Conv1D("h.{n}.attn.c_attn")),
        "blocks.{n}.attention.project": Conv1D("h.{n}.attn.c_proj"),
        "blocks.{n}.attention_norm": "h.{n}.ln_1",
        "blocks.{n}.mlp.{up,down}": Conv1D("h.{n}.mlp.{c_fc,c_proj}"),
        "blocks.{n}.mlp_norm": "h.{n}.ln_2",
    },
    prefix="transformer",
    heads={
        "LMHeadModel DoubleHeadsModel": {"head": "lm_head", "summarize.project": "multiple_choice_head.summary"},
        "ForSequenceClassification": {"head": "score"},
    },
    ignored=["position_ids", "h.{n}.attn.bias"],  # constants, which old checkpoints carry
)
