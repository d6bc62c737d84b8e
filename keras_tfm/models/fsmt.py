"""FSMT: fairseq's translation models of WMT19, with vocabularies of their own on both sides (arXiv:1907.06616)."""

from dataclasses import dataclass

from keras import ops

from keras_tfm.layers.heads import VocabularyHead
from keras_tfm.layers.seq2seq import ConditionalGeneration, shifted_around
from keras_tfm.layers.transformer import CountedWaves, Decoder, Encoder
from keras_tfm.models.bart import BartConfig, BartModel


@dataclass(kw_only=True)
class FSMTConfig(BartConfig):
    model_type = "fsmt"
    default_labels = 2

    langs: list | None = None
    src_vocab_size: int = 42024
    tgt_vocab_size: int = 42024
    vocab_size: int | None = None  # `tgt_vocab_size`, under the name that all know
    activation_function: str = "relu"
    scale_embedding: bool = True
    tie_word_embeddings: bool = False  # of both sides; the scores always go by the decoder's words
    max_length: int = 200
    num_beams: int = 5
    length_penalty: float = 1.0
    early_stopping: bool = False

    def __post_init__(self):
        super().__post_init__()
        self.langs, self.vocab_size = self.langs or ["en", "de"], self.tgt_vocab_size


class _Half(CountedWaves):
    def embed(self, inputs, positions, training=None):
        given = inputs.get("inputs_embeds")
        if given is not None:  # they are scaled as well
            inputs = inputs | {"inputs_embeds": given * self.embeddings.scale}
        return super().embed(inputs, positions, training)

    def real(self, inputs):
        given = inputs.get("inputs_embeds")
        return super().real(inputs) if given is None else ops.not_equal(given[:, :, 0], 0)


class FSMTEncoder(_Half, Encoder):
    config_class = FSMTConfig

    @property
    def vocabulary(self):
        return self.config.src_vocab_size


class FSMTDecoder(_Half, Decoder):
    """As `Decoder`; its last_hidden_state are the scores of the next words (B, T, V)."""

    config_class = FSMTConfig

    def __init__(self, config, words=None, **kwargs):
        super().__init__(config, words, **kwargs)
        self.head = VocabularyHead(self.vocabulary, tied=True, use_bias=False)

    @property
    def vocabulary(self):
        return self.config.tgt_vocab_size

    def attend(self, inputs, cache, start):
        ids = inputs.get("input_ids")
        if cache is None and ids is not None and inputs.get("attention_mask") is None:
            inputs = inputs | {"attention_mask": self.real(inputs)}
        return super().attend(inputs, cache, start)

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """As `Decoder.call`."""
        outputs = super().call(inputs, cache, start, output_hidden_states, output_attentions, training)
        return outputs | {"last_hidden_state": self.head(outputs["last_hidden_state"], self.words())}


class FSMTModel(BartModel):
    """As `BartModel`; last_hidden_state are the scores of the next words (B, T, V), of which the decoder has its own.

    Texts begin with the token that ends them.
    """

    encoder_class = FSMTEncoder
    decoder_class = FSMTDecoder

    def decoder_words(self):
        return super().decoder_words() if self.config.tie_word_embeddings else None

    def shifted(self, labels):
        return shifted_around(labels, self.config.pad_token_id)


class FSMTForConditionalGeneration(ConditionalGeneration):
    backbone_class = FSMTModel

    def make_head(self):
        return None

    def scores(self, x):
        return x
