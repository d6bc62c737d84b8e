"""DPR's checkpoints: one of its three models each, with BERT inside."""

from keras_tfm.presets.bert import ROWS
from keras_tfm.presets.io.translate import Names


def encoder(name):
    """The table of the encoder that the Hub calls `name`. Old checkpoints carry BERT's pooler, which DPR never used."""
    rows = {ours: f"{name}.bert_model.{theirs}" for ours, theirs in ROWS.items()}
    unused = ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")
    return Names(rows | {"pooler": f"{name}.encode_proj"}, ignored=[f"{name}.bert_model.{tensor}" for tensor in unused])


NAMES = {
    "DPRQuestionEncoder": encoder("question_encoder"),
    "DPRContextEncoder": encoder("ctx_encoder"),
    "DPRReader": Names(
        ROWS,
        prefix="span_predictor.encoder.bert_model",
        heads={"Reader": {"{head,relevance}": "span_predictor.{qa_outputs,qa_classifier}"}},
        optional=["pooler"],
        ignored=["embeddings.position_ids"],
    ),
}
