"""MPT's checkpoints."""

from keras_tfm.presets.io.translate import Fused, Names

NAMES = Names(
    {
        "embeddings": "wte",
        "blocks.{n}.attention_norm": "blocks.{n}.norm_1",
        "blocks.{n}.attention.{query,key,value}": Fused("blocks.{n}.attn.Wqkv"),
        "blocks.{n}.attention.project": "blocks.{n}.attn.out_proj",
        "blocks.{n}.mlp_norm": "blocks.{n}.norm_2",
        "blocks.{n}.mlp.{up,down}": "blocks.{n}.ffn.{up_proj,down_proj}",
        "norm": "norm_f",
    },
    prefix="transformer",
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
)
