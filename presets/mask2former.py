"""Mask2Former's checkpoints."""

from keras_tfm.presets.io.translate import Fused, Names

PIXELS, QUERIES = "pixel_level_module.decoder", "transformer_module"
BLOCK, LAYER = f"{PIXELS}.encoder.layers.{{n}}", f"{QUERIES}.decoder.layers.{{n}}"
ROWS = {
    "pixel_decoder": PIXELS,
    "pixel_decoder.convolutions.{n}.{convolution,norm}": f"{PIXELS}.input_projections.{{n}}.{{0,1}}",
    "pixel_decoder.blocks.{n}.attention.{offsets,score,value,project}": (
        f"{BLOCK}.self_attn.{{sampling_offsets,attention_weights,value_proj,output_proj}}"
    ),
    "pixel_decoder.blocks.{n}.{attention_norm,mlp_norm}": f"{BLOCK}.{{self_attn_layer_norm,final_layer_norm}}",
    "pixel_decoder.blocks.{n}.mlp.{up,down}": f"{BLOCK}.{{fc1,fc2}}",
    "pixel_decoder.lateral.{0,1,2}.{convolution,norm}": f"{PIXELS}.adapter_{{1,2,3}}.{{0,1}}",
    "pixel_decoder.smooth.{0,1,2}.{convolution,norm}": f"{PIXELS}.layer_{{1,2,3}}.{{0,1}}",
    "pixel_decoder.project": f"{PIXELS}.mask_projection",
    "decoder.{places,queries,levels}": f"{QUERIES}.{{queries_embedder,queries_features,level_embed}}",
    "decoder.blocks.{n}.attention.{query,key,value,project}": f"{LAYER}.self_attn.{{q_proj,k_proj,v_proj,out_proj}}",
    "decoder.blocks.{n}.cross_attention.{query,key,value}": {
        "kernel": Fused(f"{LAYER}.cross_attn.in_proj_weight"),
        "bias": Fused(f"{LAYER}.cross_attn.in_proj_bias"),
    },
    "decoder.blocks.{n}.cross_attention.project": f"{LAYER}.cross_attn.out_proj",
    "decoder.blocks.{n}.{attention,cross_attention,mlp}_norm": (
        f"{LAYER}.{{self_attn_layer_norm,cross_attn_layer_norm,final_layer_norm}}"
    ),
    "decoder.blocks.{n}.mlp.{up,down}": f"{LAYER}.{{fc1,fc2}}",
    "decoder.norm": f"{QUERIES}.decoder.layernorm",
    "decoder.mask_head.{n}": f"{QUERIES}.decoder.mask_predictor.mask_embedder.{{n}}.0",
}

NAMES = Names(
    ROWS,
    prefix="model",
    heads={"ForUniversalSegmentation": {"head": "class_predictor"}},
    parts={"extractor": "pixel_level_module.encoder"},
)
