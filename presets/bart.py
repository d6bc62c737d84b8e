"""BART's checkpoints, and those of the family that are stored alike."""

from keras_tfm.presets.io.translate import Names

BLOCK = {
    "attention_norm": "self_attn_layer_norm",
    "attention.{query,key,value}": "self_attn.{q_proj,k_proj,v_proj}",
    "attention.project": "self_attn.out_proj",
    "cross_attention_norm": "encoder_attn_layer_norm",
    "cross_attention.{query,key,value}": "encoder_attn.{q_proj,k_proj,v_proj}",
    "cross_attention.project": "encoder_attn.out_proj",
    "mlp_norm": "final_layer_norm",
    "mlp.{up,down}": "{fc1,fc2}",
}
HALF = {
    "embeddings.word": "embed_tokens",
    "embeddings.position": "embed_positions",
    "embeddings.norm": "layernorm_embedding",
    "norm": "layer_norm",
    **{f"blocks.{{n}}.{ours}": f"layers.{{n}}.{theirs}" for ours, theirs in BLOCK.items()},
}
SHARED = {"encoder.embeddings.word": "shared"}
POSITIONS = ["encoder.embed_positions.weight", "decoder.embed_positions.weight"]
BOTH = {f"{side}.{ours}": f"{side}.{theirs}" for side in ("encoder", "decoder") for ours, theirs in HALF.items()}
HEADS = {
    "ForConditionalGeneration MTModel": {"head": "lm_head", "logits_bias": {"bias": "final_logits_bias"}},
    "ForSequenceClassification": {
        "head.dense": "classification_head.dense",
        "head.project": "classification_head.out_proj",
    },
    "ForQuestionAnswering": {"head": "qa_outputs"},
    "ForCausalLM": {"head": "lm_head"},
}
COPIES = {"shared.weight": ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]}


def tables(name, **options):
    """The tables of an architecture's classes: those with both halves, and the decoder alone."""
    both = Names(BOTH | SHARED, prefix="model", heads=HEADS, copies=COPIES, **options)
    copies = {"embed_tokens.weight": ["model.shared.weight"]}
    decoder = Names(HALF, prefix="model.decoder", heads=HEADS, copies=copies, **options)
    return {"": both, f"{name}ForCausalLM": decoder}


NAMES = tables("Bart")
