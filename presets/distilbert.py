"""DistilBERT's checkpoints."""

from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {
        "embeddings.{word,position}": "embeddings.{word,position}_embeddings",
        "embeddings.norm": "embeddings.LayerNorm",
        "blocks.{n}.attention.{query,key,value,project}": "transformer.layer.{n}.attention.{q,k,v,out}_lin",
        "blocks.{n}.{attention,mlp}_norm": "transformer.layer.{n}.{sa,output}_layer_norm",
        "blocks.{n}.mlp.{up,down}": "transformer.layer.{n}.ffn.{lin1,lin2}",
    },
    prefix="distilbert",
    heads={
        "ForMaskedLM": {"head.{dense,norm,vocabulary}": "{vocab_transform,vocab_layer_norm,vocab_projector}"},
        "ForSequenceClassification ForMultipleChoice": {"{dense,head}": "{pre_classifier,classifier}"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnswering": {"head": "qa_outputs"},
    },
    ignored=["embeddings.position_ids"],
)
