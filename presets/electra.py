"""ELECTRA's checkpoints: the blocks are stored as BERT's."""

from keras_tfm.presets.bert import ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {**ROWS, "embeddings.project": "embeddings_project"},
    prefix="electra",
    heads={
        "ForPreTraining": {"head.{dense,project}": "discriminator_predictions.{dense,dense_prediction}"},
        "ForMaskedLM ForCausalLM": {
            "head.{dense,norm}": "generator_predictions.{dense,LayerNorm}",
            "head.vocabulary": "generator_lm_head",
        },
        "ForSequenceClassification": {"head": "classifier", "head.project": "classifier.out_proj"},
        "ForMultipleChoice": {"summarize.project": "sequence_summary.summary", "head": "classifier"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    ignored=["embeddings.position_ids"],
)
