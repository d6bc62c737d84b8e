"""GPT-2's checkpoints: dense layers are stored as (in, out), queries, keys and values in one matrix."""

from keras_tfm.presets.io.translate import Conv1D, Fused, Names

NAMES = Names(
    {
        "embeddings.word": "wte",
        "embeddings.position": "wpe",
        "blocks.{n}.attention_norm": "h.{n}.ln_1",
        "blocks.{n}.attention.{query,key,value}": Fused(Conv1D("h.{n}.attn.c_attn")),
        "blocks.{n}.attention.project": Conv1D("h.{n}.attn.c_proj"),
        "blocks.{n}.cross_attention_norm": "h.{n}.ln_cross_attn",
        "blocks.{n}.cross_attention.query": Conv1D("h.{n}.crossattention.q_attn"),
        "blocks.{n}.cross_attention.{key,value}": Fused(Conv1D("h.{n}.crossattention.c_attn")),
        "blocks.{n}.cross_attention.project": Conv1D("h.{n}.crossattention.c_proj"),
        "blocks.{n}.mlp_norm": "h.{n}.ln_2",
        "blocks.{n}.mlp.{up,down}": Conv1D("h.{n}.mlp.{c_fc,c_proj}"),
        "norm": "ln_f",
    },
    prefix="transformer",
    heads={
        "LMHeadModel DoubleHeadsModel": {"head": "lm_head", "summarize.project": "multiple_choice_head.summary"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    # The causal mask, which old checkpoints carry.
    ignored=[
        "h.{n}.attn.bias",
        "h.{n}.attn.masked_bias",
        "h.{n}.crossattention.bias",
        "h.{n}.crossattention.masked_bias",
    ],
)
