"""The base classes of every layer and model: names, building, serialisation, loading.

Sublayers are named after the attribute they are assigned to, so that a variable's path reads
`blocks_0/attention/query/kernel`. A model builds all its variables once, at the end of its construction.
"""

import contextlib
import functools
import threading

import keras
import numpy as np

from keras_tfm.layers.config import Config

# What Dense and Embedding begin with where nothing else was asked for.
KERAS_DEFAULTS = (keras.initializers.GlorotUniform, keras.initializers.RandomUniform)


@keras.saving.register_keras_serializable("keras_tfm")
class Normal(keras.initializers.RandomNormal):
    """Drawn by NumPy: the same numbers on every backend, and no program to compile for each shape on JAX."""

    def __call__(self, shape, dtype=None):
        drawn = np.random.default_rng(self.seed).standard_normal(shape, "float32")
        return keras.ops.convert_to_tensor(self.mean + self.stddev * drawn, dtype=dtype)


class _State(threading.local):
    def __init__(self):
        self.constructing = []  # the models whose `__init__` is running, outermost first
        self.weights_follow = False  # whether a checkpoint is about to fill the models under construction


_state = _State()


class _Named:
    """Names each sublayer after its attribute (`self.blocks = [..]` gives `blocks_0`) and remembers them in order."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if isinstance(value, keras.Layer):
            self._adopt(name, name, value)
        elif isinstance(value, list) and value and all(isinstance(v, keras.Layer) for v in value):
            for i, layer in enumerate(value):
                self._adopt(f"{name}.{i}", f"{name}_{i}", layer)

    def _adopt(self, path, name, layer):
        layer.name = name
        sublayers = self.__dict__.setdefault("_sublayers", {})
        if sublayers.get(path, layer) is not layer:
            self._tracker.untrack(sublayers[path])  # or Keras would go on saving the one that was here before
        sublayers[path] = layer

    def named_layers(self, prefix=""):
        """Yields (attribute path, layer) for every layer below this one, e.g. ("blocks.0.attention.query", Dense)."""
        for name, layer in self.__dict__.get("_sublayers", {}).items():
            yield prefix + name, layer
            if isinstance(layer, _Named):
                yield from layer.named_layers(f"{prefix}{name}.")


class Layer(_Named, keras.Layer):
    """A composite layer. Its sublayers build themselves when the model is traced; one with weights defines `build`."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable("keras_tfm")(cls)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = type(self).build is keras.Layer.build


class Model(_Named, keras.Model):
    """An architecture or one of its heads: made from a configuration, called with one dict of tensors.

    Args:
        config: a `Config` of the class's `config_class`, or a dict of its fields.
        dtype: a Keras dtype policy for every layer, e.g. "bfloat16" or "mixed_bfloat16". Default: Keras' global one.

    Subclasses say in `served` which inputs they are built and exported with, {name: (shape, dtype)}, and in
    `optional` which further ones `call` understands; where that depends on the configuration, in `signature`. An input
    may be a list of tensors: its shapes and types are one, too.
    """

    config_class: type[Config]
    served = {}
    optional = ()
    has_pooler = False  # whether the constructor takes `pooler`
    room = None  # how many tokens it takes at most, None for any number

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable("keras_tfm")(cls)
        if "__init__" in vars(cls):
            cls.__init__ = _builds_when_outermost(cls.__init__)

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = self.config_class.from_dict({}, **config) if isinstance(config, dict) else config
        if not isinstance(self.config, self.config_class):
            raise TypeError(f"{type(self).__name__} takes a {self.config_class.__name__}, not {type(config).__name__}")

    def __call__(self, inputs, *args, **kwargs):
        if not isinstance(inputs, dict):
            raise TypeError(
                f"{type(self).__name__} takes one dict of tensors, such as "
                f"{{{', '.join(repr(name) + ': ..' for name in self.served)}}}, not {type(inputs).__name__}"
            )
        if unknown := set(inputs) - set(self.served) - set(self.optional):
            raise ValueError(
                f"{type(self).__name__} has no input {', '.join(sorted(unknown))}; "
                f"it takes {', '.join([*self.served, *self.optional])}"
            )
        return super().__call__(inputs, *args, **kwargs)

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs):
        """As `keras.Layer.stateless_call`, through which Keras trains on JAX. Keras runs `call` bare there: the layers
        in it would not learn that this is training, unless each was told."""
        given = zip(self.trainable_variables, trainable_variables, strict=True)
        others = zip(self.non_trainable_variables, non_trainable_variables, strict=True)
        with keras.StatelessScope(state_mapping=[*given, *others], collect_losses=return_losses) as scope:
            outputs = self(*args, **kwargs)
            losses = [self.losses] if return_losses else []
        return outputs, [scope.get_current_value(v) for v in self.non_trainable_variables], *losses

    @property
    def vocabulary(self):
        """V, how many words it knows."""
        return self.config.vocab_size

    def signature(self):
        """The inputs the model is built and exported with: {name: (shape, dtype)}, None for any size."""
        return self.served

    def building_signature(self):
        """The inputs that reach every layer, where those of `signature` leave some out."""
        return self.signature()

    def _choose_initializers(self):
        for _, layer in self.named_layers():
            for name in ("kernel_initializer", "embeddings_initializer"):
                if isinstance(getattr(layer, name, None), KERAS_DEFAULTS):
                    # An instance each: one that is shared would draw the same numbers twice.
                    setattr(layer, name, Normal(stddev=self.config.initializer_range))

    def _build_all(self):
        layers = [layer for _, layer in self.named_layers()]
        models = [self, *(layer for layer in layers if isinstance(layer, Model))]
        for model in reversed(models):
            model._choose_initializers()  # the inner ones first: each as its own configuration says
            model.built = True  # or Keras would trace it once more, to build what is below
        # Of known sizes, since Keras traces unknown ones twice or with more operations.
        given = self.building_signature().items()
        inputs = {name: _placeholder(told) for name, told in given}
        with _zero_initializers(layers) if _state.weights_follow else contextlib.nullcontext():
            # Calling the model itself would leave a node of a symbolic graph behind.
            self.compute_output_spec(inputs)
        for model in models:
            model.finish_building()

    def finish_building(self):
        """What is to be done once all variables are there, such as freezing some: what TensorFlow makes frozen never
        learns again."""

    def get_config(self):
        policy = keras.dtype_policies.serialize(self.dtype_policy)
        return {"config": self.config.to_dict(), "name": self.name, "trainable": self.trainable, "dtype": policy}

    @classmethod
    def from_config(cls, config):
        stored = config["config"]
        dtype = keras.dtype_policies.deserialize(config["dtype"])
        return cls(**{**config, "config": cls.config_class.from_dict(stored), "dtype": dtype})

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """As `keras.Model.compile`; without a `loss` the task's own is used (see `default_loss`)."""
        super().compile(optimizer, loss=self.default_loss() if loss is None else loss, **kwargs)

    def compile_from_config(self, config):  # Keras asks for it, since `compile` differs from its own
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def default_loss(self):
        """The loss of the task, as the reference computes it: a Keras loss, a dict of them by output, or None."""
        return None

    @classmethod
    def from_preset(cls, source, **options):
        """Loads a checkpoint. Also called `from_pretrained`.

        Args:
            source: a local folder, a Hub id ("google-bert/bert-base-uncased"), "hf://" and a Hub id, or a GGUF file.
            revision, token, cache_dir, local_files_only: as in `huggingface_hub.hf_hub_download`.
            gguf_file: the name of a GGUF file in the folder or repository, to read in the place of all others. Its
                quantised weights are dequantised to the model's dtype.
            dtype: a dtype policy, or "auto" for the checkpoint's own dtype. Default: Keras' global policy.
            load_weights: False for random weights. Default True.
            ignore_mismatched_sizes: True to initialise weights whose shape differs. Default False.
            **options: any field of the configuration (`num_labels=3`, `id2label={0: "no", 1: "yes"}`).

        Raises:
            FileNotFoundError: no such folder or repository, or a file is missing from it.
            ValueError: a damaged file, tensors that are missing, unknown or of another shape.
            TypeError: an option that is no field of the configuration.
        """
        from keras_tfm.presets.io.load import load_model

        return load_model(cls, source, **options)

    from_pretrained = from_preset

    def save_preset(self, folder, tokenizer=None, max_shard_size="5GB", image_processor=None):
        """Writes `config.json` and the weights in the Hub's format, which Transformers reads. Also `save_pretrained`.

        Args:
            folder: where to; created if needed. Files appear there only when all of them are written.
            tokenizer, image_processor: what to save beside the model.
            max_shard_size: bytes, or a text such as "500MB"; larger checkpoints are split. Default "5GB".
        """
        from keras_tfm.presets.io.save import save_model

        save_model(self, folder, (tokenizer, image_processor), max_shard_size)

    save_pretrained = save_preset

    def export(self, filepath, format="tf_saved_model", **options):
        """As `keras.Model.export`. A SavedModel serves dicts of any batch size and length, from every backend."""
        if format != "tf_saved_model" or "input_signature" in options:
            super().export(filepath, format=format, **options)
        else:
            from keras_tfm.runtime.export import export_saved_model

            export_saved_model(self, filepath, **options)


def _builds_when_outermost(init):
    """Wraps a model's `__init__`: sets the dtype policy for its sublayers and builds the outermost model at the end."""

    @functools.wraps(init)
    def wrapped(self, *args, **kwargs):
        policy = keras.config.dtype_policy()
        _state.constructing.append(self)
        try:
            if kwargs.get("dtype") is not None:
                keras.config.set_dtype_policy(kwargs["dtype"])
            init(self, *args, **kwargs)
        finally:
            _state.constructing.pop()
            keras.config.set_dtype_policy(policy)
        if not _state.constructing:
            self._build_all()

    return wrapped


def _placeholder(told):
    """A symbolic tensor of a shape and type; a list of them for a list."""
    if isinstance(told, list):
        return [_placeholder(each) for each in told]
    shape, dtype = told
    return keras.KerasTensor([n or 8 for n in shape], dtype)


@contextlib.contextmanager
def weights_follow():
    """Models made in this context are filled with zeros: drawing random weights takes longer than reading them."""
    _state.weights_follow = True
    try:
        yield
    finally:
        _state.weights_follow = False


@contextlib.contextmanager
def _zero_initializers(layers):
    replaced = [(layer, k, v) for layer in layers for k, v in list(vars(layer).items()) if k.endswith("_initializer")]
    for layer, name, _ in replaced:
        setattr(layer, name, keras.initializers.Zeros())
    try:
        yield
    finally:
        for layer, name, initializer in replaced:
            setattr(layer, name, initializer)


def build_unused(layer, x):
    """Builds a layer for input like x, though nothing needs what it returns: checkpoints carry its weights along."""
    if not layer.weights:
        layer(x)
        layer.trainable = False


def run_blocks(
    blocks,
    x,
    config,
    cache=None,
    output_hidden_states=None,
    output_attentions=None,
    attend=None,
    context=None,
    **options,
):
    """Runs x (B, T, D) through the blocks, each `block(x, cache=.., weights=.., **options) -> x, cache, weights`.

    Args:
        config: says whether to return hidden states and attentions where the next two arguments are None.
        cache: one entry a block, or None.
        output_hidden_states: whether to return the input and every block's output.
        output_attentions: whether to return every block's attention weights, under the names the blocks give them.
        attend: what the tokens may look at, for all blocks, or a list of one for each.
        context: what they look at besides, (B, S, D), or its keys and values for each block.

    Returns:
        x (B, T, D), and a dict of what was asked for: `past_key_values` (if a cache came in), `hidden_states`
        (a tuple of one more than the blocks), `attentions`, `cross_attentions` (a tuple of (B, H, T, S) each); and
        whatever else the blocks say, such as `router_logits`.
    """
    if output_hidden_states is None:
        output_hidden_states = config.output_hidden_states
    if output_attentions is None:
        output_attentions = config.output_attentions
    hidden_states, caches, weights = [x], [], []
    for i, block in enumerate(blocks):
        if attend is not None:
            options["attend"] = attend[i] if isinstance(attend, list) else attend
        if context is not None:
            options["context"] = context[i] if isinstance(context, tuple) else context
        x, entry, seen = block(x, cache=None if cache is None else cache[i], weights=output_attentions, **options)
        hidden_states.append(x)
        caches.append(entry)
        weights.append(seen)
    states = {}
    if cache is not None:
        states["past_key_values"] = tuple(caches)
    if output_hidden_states:
        states["hidden_states"] = tuple(hidden_states)
    for name in weights[0] if weights else ():
        if output_attentions or not name.endswith("attentions"):
            states[name] = tuple(w[name] for w in weights)
    return x, states
