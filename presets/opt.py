"""OPT's checkpoints."""

from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {
        "embeddings.word": "decoder.embed_tokens",
        "embeddings.project": "decoder.project_in",
        "embeddings.position": "decoder.embed_positions",
        "blocks.{n}.attention_norm": "decoder.layers.{n}.self_attn_layer_norm",
        "blocks.{n}.attention.{query,key,value}": "decoder.layers.{n}.self_attn.{q_proj,k_proj,v_proj}",
        "blocks.{n}.attention.project": "decoder.layers.{n}.self_attn.out_proj",
        "blocks.{n}.mlp_norm": "decoder.layers.{n}.final_layer_norm",
        "blocks.{n}.mlp.{up,down}": "decoder.layers.{n}.{fc1,fc2}",
        "norm.norm": "decoder.final_layer_norm",
        "norm.project": "decoder.project_out",
    },
    prefix="model",
    heads={
        "ForCausalLM": {"head": "lm_head"},
        "ForSequenceClassification": {"head": "score"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
)
