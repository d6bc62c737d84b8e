"""SAM's checkpoints."""

from keras_tfm.presets.io.translate import Fused, Names

VISION, PROMPTS, DECODER = "vision_encoder", "prompt_encoder", "mask_decoder"
BLOCKS, TRANSFORMER = f"{VISION}.layers.{{n}}", f"{DECODER}.transformer"
PROJECTIONS = "{q_proj,k_proj,v_proj,out_proj}"
ROWS = {
    "vision_encoder.embeddings": {"positions": f"{VISION}.pos_embed"},
    "vision_encoder.embeddings.patches": f"{VISION}.patch_embed.projection",
    "vision_encoder.blocks.{n}.{attention_norm,mlp_norm}": f"{BLOCKS}.{{layer_norm1,layer_norm2}}",
    "vision_encoder.blocks.{n}.attention": {
        "rows": f"{BLOCKS}.attn.rel_pos_h",
        "columns": f"{BLOCKS}.attn.rel_pos_w",
    },
    "vision_encoder.blocks.{n}.attention.{query,key,value}": Fused(f"{BLOCKS}.attn.qkv"),
    "vision_encoder.blocks.{n}.attention.project": f"{BLOCKS}.attn.proj",
    "vision_encoder.blocks.{n}.mlp.{up,down}": f"{BLOCKS}.mlp.{{lin1,lin2}}",
    "vision_encoder.convolutions.{0,1}": f"{VISION}.neck.{{conv1,conv2}}",
    "vision_encoder.norms.{0,1}": f"{VISION}.neck.{{layer_norm1,layer_norm2}}",
    "prompt_encoder.positions": {"frequencies": "shared_image_embedding.positional_embedding"},
    "prompt_encoder.points": f"{PROMPTS}.point_embed",
    "prompt_encoder.{not_a_point,no_mask}": f"{PROMPTS}.{{not_a_point_embed,no_mask_embed}}",
    "prompt_encoder.convolutions.{0,1,2}": f"{PROMPTS}.mask_embed.{{conv1,conv2,conv3}}",
    "prompt_encoder.norms.{0,1}": f"{PROMPTS}.mask_embed.{{layer_norm1,layer_norm2}}",
    "mask_decoder.blocks.{n}.attention.{query,key,value,project}": (
        f"{TRANSFORMER}.layers.{{n}}.self_attn.{PROJECTIONS}"
    ),
    "mask_decoder.blocks.{n}.cross_attention.{query,key,value,project}": (
        f"{TRANSFORMER}.layers.{{n}}.cross_attn_token_to_image.{PROJECTIONS}"
    ),
    "mask_decoder.blocks.{n}.picture_attention.{query,key,value,project}": (
        f"{TRANSFORMER}.layers.{{n}}.cross_attn_image_to_token.{PROJECTIONS}"
    ),
    "mask_decoder.blocks.{n}.mlp.{up,down}": f"{TRANSFORMER}.layers.{{n}}.mlp.{{lin1,lin2}}",
    "mask_decoder.blocks.{n}.{attention,cross_attention,mlp,picture_attention}_norm": (
        f"{TRANSFORMER}.layers.{{n}}.layer_norm{{1,2,3,4}}"
    ),
    "mask_decoder.cross_attention.{query,key,value,project}": f"{TRANSFORMER}.final_attn_token_to_image.{PROJECTIONS}",
    "mask_decoder.cross_attention_norm": f"{TRANSFORMER}.layer_norm_final_attn",
    "mask_decoder.upscale.{0,1}": f"{DECODER}.{{upscale_conv1,upscale_conv2}}",
    "mask_decoder.upscale_norm": f"{DECODER}.upscale_layer_norm",
    "mask_decoder.mask_heads.{n}.{up,down}": f"{DECODER}.output_hypernetworks_mlps.{{n}}.{{proj_in,proj_out}}",
    "mask_decoder.mask_heads.{n}.inner": f"{DECODER}.output_hypernetworks_mlps.{{n}}.layers",
    "mask_decoder.iou_head.{up,down}": f"{DECODER}.iou_prediction_head.{{proj_in,proj_out}}",
    "mask_decoder.iou_head.inner": f"{DECODER}.iou_prediction_head.layers",
}
COPIES = {"shared_image_embedding.positional_embedding": ["prompt_encoder.shared_embedding.positional_embedding"]}

NAMES = Names(ROWS, copies=COPIES)
