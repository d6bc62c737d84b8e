"""LED: BART for long texts, whose encoder sees windows of them and from a few tokens all (arXiv:2004.05150)."""

from dataclasses import dataclass

from keras import ops
from keras.layers import Embedding

from keras_tfm.layers.masks import length
from keras_tfm.layers.seq2seq import BiasedConditionalGeneration, DecoderQuestionAnswering, LastEndClassification
from keras_tfm.layers.transformer import Decoder, Encoder
from keras_tfm.layers.windowed import WindowedAttention
from keras_tfm.models.bart import BartConfig, BartModel


@dataclass(kw_only=True)
class LEDConfig(BartConfig):
    model_type = "led"
    default_labels = 2

    max_encoder_position_embeddings: int = 16384
    max_decoder_position_embeddings: int = 1024
    attention_window: int | list = 512  # of all blocks, or of each
    forced_eos_token_id: int | None = None


class _Half:
    unused_rows = 0

    def make_positions(self):
        return Embedding(getattr(self.config, f"max_{self.side}_position_embeddings"), self.config.d_model)


class LEDEncoder(_Half, Encoder):
    """As `Encoder`. Each token sees those in the window around it. Those that global_attention_mask (B, <= S) marks
    with 1 see all and are seen by all; behind its end none are marked. Attentions are (B, H, S, S), zero for padding.
    """

    config_class = LEDConfig
    served = Encoder.served | {"global_attention_mask": ((None, None), "int32")}

    def make_attention(self, index):
        c = self.config
        windows = c.attention_window
        if isinstance(windows, int):
            windows = [windows] * c.encoder_layers
        elif len(windows) != c.encoder_layers:
            raise ValueError(f"attention_window has {len(windows)} entries for {c.encoder_layers} encoder_layers")
        return WindowedAttention(c.d_model, c.encoder_attention_heads, windows[index], c.attention_dropout)

    def relations(self, inputs, positions, cache):
        mask = inputs.get("global_attention_mask")
        if mask is None:
            return {}
        places, last = ops.arange(length(inputs)), ops.shape(mask)[1] - 1
        marked = ops.cast(ops.take(mask, ops.minimum(places, last), axis=1), "bool")
        return {"everywhere": ops.logical_and(marked, places <= last)}


class LEDDecoder(_Half, Decoder):
    config_class = LEDConfig


class LEDModel(BartModel):
    """As `BartModel`; the encoder's attention is described at `LEDEncoder`."""

    encoder_class = LEDEncoder
    decoder_class = LEDDecoder
    served = BartModel.served | {"global_attention_mask": ((None, None), "int32")}


class LEDForConditionalGeneration(BiasedConditionalGeneration):
    backbone_class = LEDModel


class LEDForSequenceClassification(LastEndClassification):
    backbone_class = LEDModel


class LEDForQuestionAnswering(DecoderQuestionAnswering):
    backbone_class = LEDModel
