"""RoBERTa's checkpoints: the encoder is stored as BERT's."""

from keras_tfm.presets.bert import ROWS
from keras_tfm.presets.io.translate import Names

HEADS = {
    "ForMaskedLM ForCausalLM": {
        "head.{dense,norm}": "lm_head.{dense,layer_norm}",
        "head.vocabulary": {"kernel": "lm_head.decoder.weight", "bias": "lm_head.bias"},
    },
    "ForSequenceClassification": {"head": "classifier", "head.project": "classifier.out_proj"},
    "ForMultipleChoice ForTokenClassification": {"head": "classifier"},
    "ForQuestionAnswering": {"head": "qa_outputs"},
}

NAMES = Names(ROWS, prefix="roberta", heads=HEADS, optional=["pooler"], ignored=["embeddings.position_ids"])
