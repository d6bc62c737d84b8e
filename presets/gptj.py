"""GPT-J's checkpoints."""

from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {
        "embeddings": "wte",
        "blocks.{n}.attention_norm": "h.{n}.ln_1",
        "blocks.{n}.attention.{query,key,value,project}": "h.{n}.attn.{q_proj,k_proj,v_proj,out_proj}",
        "blocks.{n}.mlp.{up,down}": "h.{n}.mlp.{fc_in,fc_out}",
        "norm": "ln_f",
    },
    prefix="transformer",
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    ignored=["h.{n}.attn.bias", "h.{n}.attn.masked_bias"],  # the causal mask, which old checkpoints carry
)
