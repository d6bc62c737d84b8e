"""XLM's checkpoints."""

from keras_tfm.presets.io.translate import Names

NAMES = Names(
    {
        "embeddings.word": "embeddings",
        "embeddings.{position,language}": "{position,lang}_embeddings",
        "embeddings.norm": "layer_norm_emb",
        "blocks.{n}.attention.{query,key,value,project}": "attentions.{n}.{q_lin,k_lin,v_lin,out_lin}",
        "blocks.{n}.attention_norm": "layer_norm1.{n}",
        "blocks.{n}.mlp.{up,down}": "ffns.{n}.{lin1,lin2}",
        "blocks.{n}.mlp_norm": "layer_norm2.{n}",
    },
    prefix="transformer",
    heads={
        "WithLMHeadModel": {"head": "pred_layer.proj"},
        "ForSequenceClassification": {"head.project": "sequence_summary.summary"},
        "ForMultipleChoice": {"summarize.project": "sequence_summary.summary", "head": "logits_proj"},
        "ForTokenClassification": {"head": "classifier"},
        "ForQuestionAnsweringSimple": {"head": "qa_outputs"},
        "ForQuestionAnswering": {
            "head.start": "qa_outputs.start_logits.dense",
            "head.{end_dense,end_norm,end}": "qa_outputs.end_logits.{dense_0,LayerNorm,dense_1}",
            "head.{class_dense,class_score}": "qa_outputs.answer_class.{dense_0,dense_1}",
        },
    },
    ignored=["position_ids"],
)
