"""XLM: an encoder for several languages, each with an embedding of its own (arXiv:1901.07291).

Shapes: B batch, T new tokens, S keys, D width.
"""

from dataclasses import dataclass

from keras import ops
from keras.layers import Embedding

from keras_tfm.layers.beam_answers import BeamQuestionAnswering
from keras_tfm.layers.config import Config
from keras_tfm.layers.embeddings import TextEmbeddings
from keras_tfm.layers.encoder import EncoderBlock, TextEncoder
from keras_tfm.layers.heads import (
    MaskedLanguageModeling,
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    SequenceSummary,
    TokenClassification,
    VocabularyHead,
)
from keras_tfm.layers.masks import decoder_mask, length, padding_mask
from keras_tfm.layers.positions import Waves


@dataclass(kw_only=True)
class XLMConfig(Config):
    model_type = "xlm"
    synonyms = {
        "n_words": "vocab_size",
        "hidden_size": "emb_dim",
        "num_hidden_layers": "n_layers",
        "num_attention_heads": "n_heads",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    }

    vocab_size: int = 30145
    emb_dim: int = 2048
    n_layers: int = 12
    n_heads: int = 16
    dropout: float = 0.1
    attention_dropout: float = 0.1
    gelu_activation: bool = True
    sinusoidal_embeddings: bool = False
    causal: bool = False
    asm: bool = False
    n_langs: int = 1
    use_lang_emb: bool = True
    max_position_embeddings: int = 512
    embed_init_std: float = 2048**-0.5
    layer_norm_eps: float = 1e-12
    init_std: float = 0.02
    bos_index: int = 0
    eos_index: int = 1
    pad_index: int = 2
    unk_index: int = 3
    mask_index: int = 5
    is_encoder: bool = True
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1
    start_n_top: int = 5
    end_n_top: int = 5
    mask_token_id: int | None = 0
    lang_id: int | None = 0
    pad_token_id: int | None = 2
    bos_token_id: int | None = 0

    def __post_init__(self):
        super().__post_init__()
        if not self.is_encoder:
            raise ValueError("is_encoder=False: XLM has only been published as an encoder")
        if self.asm:
            raise ValueError("asm=True: no XLM with an adaptive softmax has been published")

    @property
    def hidden_act(self):
        return "gelu" if self.gelu_activation else "relu"

    @property
    def intermediate_size(self):
        return 4 * self.emb_dim

    @property
    def languages(self):
        """How many languages have an embedding, 0 for none."""
        return self.n_langs if self.use_lang_emb and self.n_langs > 1 else 0


class XLMEmbeddings(TextEmbeddings):
    """Words, languages and positions. Token types, where given, are looked up among the words."""

    def __init__(self, *args, languages, **kwargs):
        super().__init__(*args, **kwargs)
        self.language = Embedding(languages, self.word.output_dim) if languages else None

    def call(self, inputs, start=0, training=None):
        """input_ids (B, T) or inputs_embeds (B, T, D), langs, token_type_ids, position_ids (B, T) -> (B, T, D)."""
        x = inputs.get("inputs_embeds")
        if x is None:
            x = self.word(inputs["input_ids"])
        if self.language is not None and inputs.get("langs") is not None:
            x = x + self.language(inputs["langs"])
        if inputs.get("token_type_ids") is not None:
            x = x + self.word(inputs["token_type_ids"])
        return super().call({"inputs_embeds": x, "position_ids": inputs.get("position_ids")}, start, training)


class XLMBlock(EncoderBlock):
    """A post-norm block that leaves zeros at padded tokens."""

    def call(self, x, real, attend=None, cache=None, start=0, weights=False):
        """x (B, T, D), real (B, T, 1), 0 at padded tokens -> (B, T, D), cache, {name: weights (B, H, T, S)}."""
        x, cache, seen = super().call(x, attend=attend, cache=cache, start=start, weights=weights)
        return x * real, cache, seen


class XLMModel(TextEncoder):
    """The encoder; with `causal` each token sees only those before it, padded ones, too.

    Besides the inputs of `TextEncoder` it takes langs (B, T), the language of each token, and in the place of an
    attention_mask the lengths (B,) of the texts. Without either, what is `pad_index` is padding on the right.
    """

    config_class = XLMConfig
    optional = ("position_ids", "inputs_embeds", "langs", "lengths")
    has_pooler = False

    def make_embeddings(self):
        embeddings = super().make_embeddings(XLMEmbeddings, languages=self.config.languages)
        if self.config.sinusoidal_embeddings:
            embeddings.position.embeddings_initializer = Waves()
        return embeddings

    def make_block(self):
        return XLMBlock(self.config)

    def make_pooler(self):
        return None

    @property
    def causal(self):
        return self.config.causal

    def signature(self):
        return self.served | ({"langs": ((None, None), "int32")} if self.config.languages else {})

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """As `TextEncoder.call`; attention_mask (B, T) is about the new tokens alone."""
        real, x = self.real(inputs), self.embeddings(inputs, start=start)
        real_x = ops.cast(real, x.dtype)[:, :, None]
        x, states = self.run(
            x * real_x,
            cache,
            output_hidden_states,
            output_attentions,
            attend=decoder_mask(None, length(inputs), cache and cache[0], start) if self.causal else padding_mask(real),
            start=start,
            real=real_x,
        )
        return {"last_hidden_state": x} | states

    def real(self, inputs):
        """Which tokens are no padding: (B, T)."""
        if inputs.get("attention_mask") is not None:
            return inputs["attention_mask"]
        if inputs.get("lengths") is not None:
            lengths = ops.cast(inputs["lengths"], "int32")
        elif inputs.get("input_ids") is not None:
            lengths = ops.sum(ops.cast(ops.not_equal(inputs["input_ids"], self.config.pad_index), "int32"), axis=1)
        else:
            return ops.ones(ops.shape(inputs["inputs_embeds"])[:2], "int32")
        return ops.arange(length(inputs)) < lengths[:, None]


class XLMWithLMHeadModel(MaskedLanguageModeling):
    backbone_class = XLMModel

    def make_head(self):
        return VocabularyHead(self.config.vocab_size, self.config.tie_word_embeddings)


class XLMForSequenceClassification(SequenceClassification):
    """Classifies by a `SequenceSummary`."""

    backbone_class = XLMModel
    features = "last_hidden_state"

    def dropout_rate(self):
        return 0.0  # the summary has its own

    def make_head(self):
        return SequenceSummary(self.config)


class XLMForMultipleChoice(MultipleChoice):
    """Scores each text by a `SequenceSummary` and a dense layer."""

    backbone_class = XLMModel
    features = "last_hidden_state"

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.summarize = SequenceSummary(self.config)

    def dropout_rate(self):
        return 0.0  # the summary has its own

    def logits(self, outputs, training):
        return self.head(self.summarize(outputs["last_hidden_state"]))


class XLMForTokenClassification(TokenClassification):
    backbone_class = XLMModel


class XLMForQuestionAnsweringSimple(QuestionAnswering):
    backbone_class = XLMModel


class XLMForQuestionAnswering(BeamQuestionAnswering):
    backbone_class = XLMModel
