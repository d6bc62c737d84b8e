"""FNet's checkpoints: BERT's but for the Fourier transform."""

from keras_tfm.presets.bert import HEADS, ROWS
from keras_tfm.presets.io.translate import Names

NAMES = Names(
    ROWS
    | {
        "embeddings.project": "embeddings.projection",
        "blocks.{n}.mixing_norm": "encoder.layer.{n}.fourier.output.LayerNorm",
    },
    prefix="fnet",
    heads=HEADS,
    optional=["pooler"],
    # The matrices of the transform, which the reference keeps under `use_tpu_fourier_optimizations`.
    ignored=["embeddings.position_ids", "encoder.layer.{n}.fourier.self"],
)
