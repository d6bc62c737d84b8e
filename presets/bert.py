"""BERT's checkpoints."""

from keras_tfm.presets.io.translate import Names

ROWS = {
    "embeddings.{word,position,token_type}": "embeddings.{word,position,token_type}_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
    "blocks.{n}.attention": "encoder.layer.{n}.attention.self",
    "blocks.{n}.attention.distance": "encoder.layer.{n}.attention.self.distance_embedding",
    "blocks.{n}.attention.project": "encoder.layer.{n}.attention.output.dense",
    "blocks.{n}.attention_norm": "encoder.layer.{n}.attention.output.LayerNorm",
    "blocks.{n}.cross_attention": "encoder.layer.{n}.crossattention.self",
    "blocks.{n}.cross_attention.project": "encoder.layer.{n}.crossattention.output.dense",
    "blocks.{n}.cross_attention_norm": "encoder.layer.{n}.crossattention.output.LayerNorm",
    "blocks.{n}.mlp.{up,down}": "encoder.layer.{n}.{intermediate,output}.dense",
    "blocks.{n}.mlp_norm": "encoder.layer.{n}.output.LayerNorm",
    "pooler": "pooler.dense",
}

HEADS = {
    "ForMaskedLM ForCausalLM LMHeadModel ForPreTraining": {
        "head.{dense,norm}": "cls.predictions.transform.{dense,LayerNorm}",
        "head.vocabulary": {"kernel": "cls.predictions.decoder.weight", "bias": "cls.predictions.bias"},
        "next_sentence": "cls.seq_relationship",
    },
    "ForNextSentencePrediction": {"head": "cls.seq_relationship"},
    "ForSequenceClassification ForMultipleChoice ForTokenClassification": {"head": "classifier"},
    "ForQuestionAnswering": {"head": "qa_outputs"},
}

NAMES = Names(ROWS, prefix="bert", heads=HEADS, optional=["pooler"], ignored=["embeddings.position_ids"])
