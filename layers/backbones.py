"""Backbones: encoders of pictures that hand out the feature maps of several stages.

Shapes: B batch, h and w the height and width of a map, C channels.
"""

from dataclasses import dataclass, field

from keras_tfm.layers.base import Model
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


class Backbone(Model):
    """Goes before an encoder: `class XBackbone(Backbone, XModel)`. It returns a dict of feature_maps, a tuple of
    (B, C, h, w), one for each of the configuration's `out_features`.

    The encoder has `channels`, C of the stem and of each stage, and `maps(inputs)` -> their maps (B, h, w, C).
    """

    def chosen(self, states):
        """Those of the stem's and the stages' that are to be handed out."""
        named = zip(self.config.stage_names, states, strict=True)
        return [state for name, state in named if name in self.config.out_features]

    @property
    def out_channels(self):
        """C of each of the maps that are handed out."""
        return self.chosen(self.channels)

    def call(self, inputs, output_hidden_states=None):
        """inputs as of the encoder -> feature_maps and, if asked for, hidden_states."""
        maps = self.maps(inputs)
        chosen = tuple(channels_first(x) for x in self.chosen(maps))
        return {"feature_maps": chosen} | hidden_maps(self.config, output_hidden_states, maps)


def make_backbone(config):
    """The backbone of any architecture, by its configuration.

    Raises:
        ValueError: the architecture has none.
    """
    from keras_tfm.auto import AutoBackbone

    return AutoBackbone.class_for(config)(config)
