"""Encoder-decoders of two architectures: any encoder, and any decoder that can look at it (arXiv:1907.12461).

Shapes: B batch, S tokens of the encoder, T new tokens of the decoder, D width of the decoder, V words.
"""

import copy
from dataclasses import dataclass

from keras import ops
from keras.layers import Dense, Layer

from keras_tfm.auto import AutoModel, AutoModelForCausalLM
from keras_tfm.layers.config import CompositeConfig, Config
from keras_tfm.layers.heads import respond
from keras_tfm.layers.seq2seq import DECODER_INPUTS, Seq2Seq, TeacherForcing

CROSS_INPUTS = ("encoder_hidden_states", "encoder_attention_mask")


@dataclass(kw_only=True)
class EncoderDecoderConfig(CompositeConfig):
    model_type = "encoder-decoder"
    parts = ("encoder", "decoder")

    encoder: Config | dict | None = None
    decoder: Config | dict | None = None
    is_encoder_decoder: bool = True
    tie_encoder_decoder: bool = False
    decoder_start_token_id: int | None = None

    @classmethod
    def from_encoder_decoder_configs(cls, encoder_config, decoder_config, **fields):
        """The configuration of both halves, of which the second is set to look at the first."""
        encoder, decoder = copy.copy(encoder_config), copy.copy(decoder_config)
        encoder.is_decoder = encoder.add_cross_attention = False
        decoder.is_decoder = decoder.add_cross_attention = True
        return cls.from_dict({}, encoder=encoder, decoder=decoder, **fields)

    @property
    def vocab_size(self):
        return self.decoder.vocab_size


class EncoderDecoderModel(TeacherForcing, Seq2Seq):
    """Scores the next word of the decoder's text: logits (B, T, V).

    Takes what its encoder takes and, with `decoder_` before the names, what its decoder takes; in the place of the
    decoder's, labels, and of the encoder's, encoder_outputs, see `Seq2Seq`. What is padding in labels the decoder does
    not see. Where the widths of the halves differ, a dense layer brings the encoder's to the decoder's; with
    `tie_encoder_decoder`, the halves share the layers that they both have.

    Args:
        config: an `EncoderDecoderConfig`, or a dict of its fields.

    Raises:
        ValueError: a half that is no such: an encoder that has a decoder of its own, a decoder that cannot look at an
            encoder; halves that do not fit together.
    """

    config_class = EncoderDecoderConfig

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        encoder, decoder = self.config.encoder, self.config.decoder
        wanted = decoder.cross_attention_hidden_size
        if wanted not in (None, encoder.hidden_size):
            raise ValueError(
                f"the decoder's cross_attention_hidden_size is {wanted}, and the encoder's hidden_size "
                f"{encoder.hidden_size}: make them the same, or leave the first out"
            )
        projects = wanted is None and encoder.hidden_size != decoder.hidden_size
        self.context_project = Dense(decoder.hidden_size) if projects else None
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler.trainable = False  # nothing looks at what it says
        if self.config.tie_encoder_decoder:
            share(self.encoder, self.decoder.backbone)

    def make_encoder(self):
        cls = AutoModel.class_for(self.config.encoder)
        if issubclass(cls, Seq2Seq):
            raise ValueError(f"{cls.__name__} is no encoder, it has a decoder of its own")
        return cls(self.config.encoder)

    def make_decoder(self):
        cls = AutoModelForCausalLM.class_for(self.config.decoder)
        if not set(CROSS_INPUTS) <= {*cls.served, *cls.optional}:
            raise ValueError(f"{cls.__name__} is no decoder that can look at an encoder")
        decoder = cls(self.config.decoder)
        if not decoder.backbone.has_cross_attention:
            raise ValueError(
                f"{cls.__name__} does not look at the encoder: set is_decoder=True and add_cross_attention=True in the "
                "decoder's configuration"
            )
        return decoder

    @property
    def served(self):
        return self.encoder.signature() | {"decoder_input_ids": ((None, None), "int32")}

    @property
    def optional(self):
        encoder, decoder = ([*half.served, *half.optional] for half in (self.encoder, self.decoder))
        decoder = [f"decoder_{name}" for name in decoder if name not in CROSS_INPUTS]
        given = [name for name in ("attention_mask", *encoder, *decoder) if name not in self.served]
        return (*given, "encoder_outputs", "labels")

    def context(self, encoded):
        return encoded if self.context_project is None else self.context_project(encoded)

    def decoder_inputs(self, inputs):
        given = super().decoder_inputs(inputs)
        if "attention_mask" not in given and not set(DECODER_INPUTS) & set(inputs):  # made of labels
            given["attention_mask"] = ops.not_equal(given["input_ids"], self.config.pad_token_id)
        return given

    def decode(self, inputs, **options):
        outputs = self.decoder(inputs, **options)
        return outputs if isinstance(outputs, dict) else {"logits": outputs}

    def call(self, inputs, cache=None, start=0, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as above -> logits (B, T, V); where more is asked for, a dict with what `Seq2Seq.call` returns."""
        outputs = super().call(inputs, cache, start, output_hidden_states, output_attentions, training)
        return respond({"logits": outputs["logits"]}, outputs)

    @classmethod
    def from_encoder_decoder_pretrained(cls, encoder, decoder, **options):
        """A model of two checkpoints. What neither has is initialised anew and named in one warning: the layers by
        which the decoder looks at the encoder, and that between halves of different widths.

        Args:
            encoder, decoder: local folders or Hub ids, see `from_preset`.
            dtype, ignore_mismatched_sizes, revision, token, cache_dir, local_files_only: as there.
            **options: fields of the configuration, such as tie_encoder_decoder=True; where they begin with `encoder_`
                or `decoder_`, of that half's (decoder_hidden_dropout_prob=0.2), or of where its files are.

        Raises:
            as `from_preset`, and as the class.
        """
        from keras_tfm.presets.io.load import load_parts

        sources = {"encoder": encoder, "decoder": decoder}
        anew = ("cross_attention", "cross_attention_norm", "context_project")
        return load_parts(cls, sources, cls.config_class.from_encoder_decoder_configs, anew, **options)


def share(giver, taker):
    """Puts the layers of a model in the place of those of the same path in another one.

    Raises:
        ValueError: they are of other sizes.
    """
    theirs = dict(taker.named_layers())
    for path, layer in giver.named_layers():
        inner = list(getattr(layer, "named_layers", list)())
        if path not in theirs or inner or type(layer).build is Layer.build:  # without weights of its own
            continue
        for size in ("units", "input_dim", "output_dim"):
            if getattr(layer, size, None) != getattr(theirs[path], size, None):
                raise ValueError(f"{path} cannot be the same in both halves: make them of one architecture and size")
        parent, _, name = path.rpartition(".")
        setattr(theirs[parent] if parent else taker, name, layer)
