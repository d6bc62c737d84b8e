"""FNet: BERT with a Fourier transform in the place of attention (arXiv:2105.03824).

Shapes: B batch, T tokens, D width, V words.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Dropout, LayerNormalization

from keras_tfm.layers.base import Layer
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import TextEmbeddings
from keras_tfm.layers.encoder import TextEncoder
from keras_tfm.layers.heads import (
    MaskedLanguageModeling,
    MultipleChoice,
    NextSentencePrediction,
    PreTraining,
    QuestionAnswering,
    SequenceClassification,
    TokenClassification,
)
from keras_tfm.layers.mlp import MLP


@dataclass(kw_only=True)
class FNetConfig(Config):
    model_type = "fnet"

    vocab_size: int = 32000
    hidden_size: int = 768
    num_hidden_layers: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 4
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    use_tpu_fourier_optimizations: bool = False  # an algorithm of the reference's; the outcome is the same
    tpu_short_seq_length: int = 512
    pad_token_id: int | None = 3
    bos_token_id: int | None = 1
    eos_token_id: int | list | None = 2


class FNetEmbeddings(TextEmbeddings):
    """Projects before it drops, not after."""

    def finish(self, x, training):
        return self.dropout(self.project(self.norm(x)), training=training)


class FNetBlock(Layer):
    """A Fourier transform over tokens and channels, of which the real part counts, and an MLP; both as residuals."""

    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)
        self.mixing_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.mlp = MLP(c.hidden_size, c.intermediate_size, c.hidden_act)
        self.mlp_norm = LayerNormalization(epsilon=c.layer_norm_eps)
        self.dropout = Dropout(c.hidden_dropout_prob)

    def call(self, x, cache=None, **options):
        """x (B, T, D) -> (B, T, D), and no cache and no weights; the options are for those who attend."""
        wave = ops.cast(x, "float32")  # no backend transforms half precision everywhere
        mixed, _ = ops.fft2((wave, ops.zeros_like(wave)))
        x = self.mixing_norm(x + ops.cast(mixed, x.dtype))
        return self.mlp_norm(x + self.dropout(self.mlp(x))), None, {}


class FNetModel(TextEncoder):
    """The encoder, with a tanh layer on the first token. It has no attention mask: padding is mixed in like text."""

    config_class = FNetConfig
    served = {name: ((None, None), "int32") for name in ("input_ids", "token_type_ids")}
    optional = ("position_ids", "inputs_embeds")

    def make_embeddings(self):
        return super().make_embeddings(FNetEmbeddings, project=self.config.hidden_size)

    def make_block(self):
        return FNetBlock(self.config)


class FNetForPreTraining(PreTraining):
    backbone_class = FNetModel


class FNetForMaskedLM(MaskedLanguageModeling):
    backbone_class = FNetModel
    pooler = True  # which is stored, though this and the heads that follow do not use it


class FNetForNextSentencePrediction(NextSentencePrediction):
    backbone_class = FNetModel


class FNetForSequenceClassification(SequenceClassification):
    backbone_class = FNetModel


class FNetForMultipleChoice(MultipleChoice):
    backbone_class = FNetModel


class FNetForTokenClassification(TokenClassification):
    backbone_class = FNetModel
    pooler = True


class FNetForQuestionAnswering(QuestionAnswering):
    backbone_class = FNetModel
    pooler = True
