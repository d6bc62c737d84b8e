"""ALBERT's checkpoints."""

from keras_tfm.presets.io.translate import Names

ROWS = {
    "embeddings.{word,position,token_type}": "embeddings.{word,position,token_type}_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
    "embeddings.project": "encoder.embedding_hidden_mapping_in",
    "blocks.{g}.blocks.{n}": "encoder.albert_layer_groups.{g}.albert_layers.{n}",
    "blocks.{g}.blocks.{n}.attention.distance": (
        "encoder.albert_layer_groups.{g}.albert_layers.{n}.attention.distance_embedding"
    ),
    "blocks.{g}.blocks.{n}.attention.project": "encoder.albert_layer_groups.{g}.albert_layers.{n}.attention.dense",
    "blocks.{g}.blocks.{n}.attention_norm": "encoder.albert_layer_groups.{g}.albert_layers.{n}.attention.LayerNorm",
    "blocks.{g}.blocks.{n}.mlp.{up,down}": "encoder.albert_layer_groups.{g}.albert_layers.{n}.{ffn,ffn_output}",
    "blocks.{g}.blocks.{n}.mlp_norm": "encoder.albert_layer_groups.{g}.albert_layers.{n}.full_layer_layer_norm",
}

NAMES = Names(
    ROWS,
    prefix="albert",
    heads={
        "ForMaskedLM ForPreTraining": {
            "head.dense": "predictions.dense",
            "head.norm": "predictions.LayerNorm",
            "head.vocabulary": {"kernel": "predictions.decoder.weight", "bias": "predictions.bias"},
            "next_sentence.project": "sop_classifier.classifier",
        },
        "ForSequenceClassification ForMultipleChoice ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    optional=["pooler"],
    ignored=["embeddings.position_ids"],
)
