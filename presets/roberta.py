"""RoBERTa's checkpoints: the encoder is stored as BERT's."""

from keras_tfm.presets.bert import ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(
    ROWS,
    prefix="roberta",
    heads={
        "ForMaskedLM ForCausalLM": {
            "head.dense": "lm_head.dense",
            "head.norm": "lm_head.layer_norm",
            "head.vocabulary": {"kernel": "lm_head.decoder.weight", "bias": "lm_head.bias"},
        },
        "ForSequenceClassification": {"head": "classifier", "head.project": "classifier.out_proj"},
        "ForMultipleChoice ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    optional=["pooler"],
    ignored=["embeddings.position_ids"],
)
