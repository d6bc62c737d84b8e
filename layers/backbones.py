"""Backbones: encoders of pictures that hand out the feature maps of several stages.

Shapes: B batch, h and w the height and width of a map, C channels.
"""

from dataclasses import dataclass, field

from keras.layers import BatchNormalization, LayerNormalization

from keras_tfm.layers.base import Layer, Model
from keras_tfm.layers.config import Config
from keras_tfm.layers.images import channels_first


@dataclass(kw_only=True)
class BackboneConfig(Config):
    """The configuration of an architecture that has a backbone: which stages' maps it hands out, by their names
    (`out_features`) or places (`out_indices`, may be negative). Default: the last one's.

    Raises:
        ValueError: an unknown stage, the same twice, another order, or names and places that differ.
    """

    out_features: list | None = None
    out_indices: list | None = None
    stage_names: list | None = field(default=None)

    def stages(self):
        """How many stages there are behind the stem."""
        return self.num_hidden_layers

    def __post_init__(self):
        super().__post_init__()
        names = self.stage_names = ["stem", *(f"stage{i + 1}" for i in range(self.stages()))]
        if self.out_indices is not None and not all(-len(names) <= i < len(names) for i in self.out_indices):
            raise ValueError(f"out_indices must be among 0 to {len(names) - 1}, not {self.out_indices}")
        told = None if self.out_indices is None else [names[i] for i in self.out_indices]
        if self.out_features is None:
            self.out_features = told or names[-1:]
        if told not in (None, self.out_features):
            raise ValueError(
                f"out_features {self.out_features} and out_indices {self.out_indices} tell different stages"
            )
        if self.out_features != [name for name in names if name in self.out_features]:
            raise ValueError(f"out_features must be some of {names}, in that order, not {self.out_features}")
        if self.out_indices is None:
            self.out_indices = [names.index(name) for name in self.out_features]
        self.out_indices = list(self.out_indices)


def run_stages(stages, maps):
    """The maps that come in and those of each stage, one behind the other."""
    states = [maps]
    for stage in stages:
        states.append(stage(states[-1]))
    return states


def hidden_maps(config, output_hidden_states, maps):
    """Maps (B, h, w, C) as hidden_states, a tuple of (B, C, h, w), if they are asked for: by the argument or, where
    that is None, by the configuration."""
    if not (config.output_hidden_states if output_hidden_states is None else output_hidden_states):
        return {}
    return {"hidden_states": tuple(channels_first(x) for x in maps)}


class StageNorms(Layer):
    """A norm for each of the maps that a backbone hands out, named after its stage.

    Args:
        stages: their names.
        epsilon: of the norms.
    """

    def __init__(self, stages, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.stages = list(stages)
        for stage in self.stages:
            setattr(self, stage, LayerNormalization(epsilon=epsilon))

    def call(self, maps):
        """[maps (B, h, w, C) of each] -> the same, normalised."""
        return [getattr(self, stage)(x) for stage, x in zip(self.stages, maps, strict=True)]


class Backbone(Model):
    """Goes before an encoder: `class XBackbone(Backbone, XModel)`. It returns a dict of feature_maps, a tuple of
    (B, C, h, w), one for each of the configuration's `out_features`.

    The encoder has `channels`, C of the stem and of each stage, and `maps(inputs)` -> their maps (B, h, w, C). Those
    that are handed out are normalised first if `make_norms` says by what.
    """

    begins_frozen = False  # whether it is made to `freeze`

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.norms = self.make_norms()

    def make_norms(self):
        """The norms of the maps that are handed out, `StageNorms`, or None."""
        return None

    def finish_building(self):
        if self.begins_frozen:
            self.freeze()

    def freeze(self):
        """Keeps what the batch norms have learned: detectors are trained on few pictures at a time."""
        for _, layer in self.named_layers():
            if isinstance(layer, BatchNormalization):
                layer.trainable = False
                layer.constants = {}  # nor do checkpoints count their batches

    def unfreeze(self):
        """Lets all of it learn."""
        for _, layer in self.named_layers():  # each: on TensorFlow what is True for the whole is not set again
            layer.trainable = True

    def chosen(self, states):
        """Those of the stem's and the stages' that are to be handed out."""
        named = zip(self.config.stage_names, states, strict=True)
        return [state for name, state in named if name in self.config.out_features]

    @property
    def out_channels(self):
        """C of each of the maps that are handed out."""
        return self.chosen(self.channels)

    def feature_maps(self, maps):
        """What it hands out of the maps (B, h, w, C) of the stem and of each stage."""
        chosen = self.chosen(maps)
        return tuple(channels_first(x) for x in (chosen if self.norms is None else self.norms(chosen)))

    def call(self, inputs, output_hidden_states=None, training=None):
        """inputs as of the encoder -> feature_maps and, if asked for, hidden_states."""
        maps = self.maps(inputs)
        return {"feature_maps": self.feature_maps(maps)} | hidden_maps(self.config, output_hidden_states, maps)


class PatchBackbone(Backbone):
    """The same before a `VisionEncoder`. Its stages are the blocks; their maps are (B, D, h / P, w / P), or with
    `reshape_hidden_states` False the tokens, (B, T, D). It returns hidden_states and attentions, if asked for, besides.
    """

    @property
    def channels(self):
        return [self.config.hidden_size] * len(self.config.stage_names)

    def finish(self, x):
        """What a block returns, (B, T, D), as it is handed out."""
        return x

    def call(self, inputs, output_hidden_states=None, output_attentions=None, training=None):
        """inputs as of the encoder -> feature_maps and what else is asked for."""
        _, states = self.encode(inputs, output_hidden_states=True, output_attentions=output_attentions)
        maps = [self.finish(x) for x in self.chosen(states["hidden_states"])]
        if self.config.reshape_hidden_states:
            maps = [channels_first(x) for x in self.patch_maps(maps, inputs["pixel_values"])]
        if not (self.config.output_hidden_states if output_hidden_states is None else output_hidden_states):
            del states["hidden_states"]
        return {"feature_maps": tuple(maps)} | states


def make_backbone(config):
    """The backbone of any architecture, by its configuration.

    Raises:
        ValueError: the architecture has none.
    """
    from keras_tfm.auto import AutoBackbone

    return AutoBackbone.class_for(config)(config)
