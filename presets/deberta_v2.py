"""DeBERTa-v2's and -v3's checkpoints."""

from keras_tfm.presets.bert import ROWS as BERT
from keras_tfm.presets.io.translate import Names

ROWS = {
    **BERT,
    "embeddings.project": "embeddings.embed_proj",
    "distances.table": "encoder.rel_embeddings",
    "distances.norm": "encoder.LayerNorm",
}
HEADS = {
    "ForMaskedLM": {
        "head.dense": "cls.predictions.transform.dense",
        "head.norm": "cls.predictions.transform.LayerNorm",
        "head.vocabulary": {"kernel": "cls.predictions.decoder.weight", "bias": "cls.predictions.bias"},
        "head.lm_head": "lm_predictions.lm_head",
        "head.lm_head.norm": "lm_predictions.lm_head.LayerNorm",
        "head.lm_head.vocabulary": {"bias": "lm_predictions.lm_head.bias"},
    },
    "ForSequenceClassification ForMultipleChoice": {"context_pooler": "pooler.dense", "head": "classifier"},
    "ForTokenClassification": {"head": "classifier"},
    "ForQuestionAnswering": {"head": "qa_outputs"},
}
IGNORED = ["embeddings.position_ids", "embeddings.position_embeddings.weight"]

NAMES = Names(
    {
        **ROWS,
        "blocks.{n}.attention.{query,key,value}": "encoder.layer.{n}.attention.self.{query,key,value}_proj",
        "blocks.{n}.attention.distance_{query,key}": "encoder.layer.{n}.attention.self.pos_{query,key}_proj",
        "blocks.0.convolution": "encoder.conv.conv",
        "blocks.0.convolution_norm": "encoder.conv.LayerNorm",
    },
    prefix="deberta",
    heads=HEADS,
    ignored=IGNORED,
)
