"""The usual heads of encoders of pictures.

Shapes: B batch, h and w the height and width of a picture, T tokens, D width.
"""

from keras import ops
from keras.layers import Conv2D, Dense

from keras_tfm.layers.base import Layer
from keras_tfm.layers.heads import Classifier, Head, respond
from keras_tfm.layers.images import channels_first, pixel_shuffle, resize, unflatten
from keras_tfm.training.losses import ClassificationLoss, SegmentationLoss


class ImageClassification(Classifier):
    """Classifies the picture, by a dense layer on `pooled`: logits (B, labels); one label means regression."""

    pooler = False

    def dropout_rate(self):
        return 0.0

    def pooled(self, outputs):
        """The backbone's outputs -> the features (B, D) of the whole picture: by default those of the first token."""
        return outputs["last_hidden_state"][:, 0]

    def logits(self, outputs, training):
        return self.head(self.dropout(self.pooled(outputs), training=training))

    def default_loss(self):
        return ClassificationLoss(self.config.num_labels, self.config.problem_type)


class PooledImageClassification(ImageClassification):
    """The same, on the backbone's `pooler_output`, of whatever shape."""

    pooler = True

    def pooled(self, outputs):
        pooled = outputs["pooler_output"]
        return ops.reshape(pooled, (ops.shape(pooled)[0], -1)) if len(pooled.shape) > 2 else pooled


class ImageClassificationWithTeacher(Head):
    """Classifies the picture by two heads, one of which learned from labels (`head`), the other from another model
    (`distillation_head`): logits, their mean, cls_logits and distillation_logits, (B, labels) each.

    `fit` trains the mean.
    """

    pooler = False

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head, self.distillation_head = self.make_head(), self.make_head()

    def make_head(self):
        return Dense(self.config.num_labels)

    def pooled(self, outputs):
        """The backbone's outputs -> the features (B, D) that each of the heads sees: by default the first tokens."""
        x = outputs["last_hidden_state"]
        return x[:, 0], x[:, 1]

    def call(self, inputs, training=None, **options):
        """inputs -> logits, cls_logits and distillation_logits, (B, labels) each."""
        outputs = self.backbone(inputs, training=training, **options)
        own, taught = self.pooled(outputs)
        own, taught = self.head(own), self.distillation_head(taught)
        logits = {"logits": (own + taught) / 2, "cls_logits": own, "distillation_logits": taught}
        return respond(logits, outputs)

    def _by_output(self, values):
        return values["logits"] if isinstance(values, dict) and "logits" in values else super()._by_output(values)

    def default_loss(self):
        return ClassificationLoss(self.config.num_labels, self.config.problem_type)


class PixelDecoder(Layer):
    """Maps (B, h, w, D) -> pixels (B, h * stride, w * stride, channels): a dense layer for each square.

    Args:
        stride: the side of the square.
        channels: of a pixel.
    """

    def __init__(self, stride, channels, **kwargs):
        super().__init__(**kwargs)
        self.stride = stride
        self.project = Conv2D(stride**2 * channels, 1)

    def call(self, maps):
        """maps (B, h, w, D) -> (B, h * stride, w * stride, channels)."""
        return pixel_shuffle(self.project(maps), self.stride)


class MaskedImageModeling(Head):
    """Paints the hidden patches of a picture: pixel_values and bool_masked_pos -> reconstruction (B, 3, h, w).

    It learns from the pictures themselves (arXiv:2111.09886); `fit` needs no labels.
    """

    pooler = False
    backbone_options = {"mask_token": True}

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        self.head = PixelDecoder(self.config.encoder_stride, self.config.num_channels)

    def patch_maps(self, outputs):
        """The backbone's outputs -> those of the patches alone, (B, rows, columns, D)."""
        x, embeddings = outputs["last_hidden_state"], self.backbone.embeddings
        return unflatten(x[:, len(embeddings.tokens) :], *embeddings.grid)

    def call(self, inputs, training=None, **options):
        """inputs -> reconstruction (B, 3, h, w)."""
        outputs = self.backbone(inputs, training=training, **options)
        return respond({"reconstruction": channels_first(self.head(self.patch_maps(outputs)))}, outputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean distance of the hidden pixels from those painted."""
        painted = y_pred["reconstruction"] if isinstance(y_pred, dict) else y_pred
        hidden = unflatten(ops.cast(x["bool_masked_pos"], painted.dtype)[..., None], *self.backbone.embeddings.grid)
        pixels = channels_first(resize(hidden, ops.shape(painted)[2:], "nearest"))
        distance = ops.sum(ops.abs(ops.subtract(x["pixel_values"], painted)) * pixels)
        return distance / (ops.sum(pixels) + 1e-5) / self.config.num_channels


class SemanticSegmentation(Head):
    """A head that gives every pixel a class: logits (B, labels, h', w'), mostly smaller than the picture. It learns
    from labels (B, h, w) of any size; those of the configuration's `semantic_loss_ignore_index` do not count."""

    pooler = False

    def default_loss(self):
        return SegmentationLoss(self.config.semantic_loss_ignore_index)


class AuxiliarySegmentation(SemanticSegmentation):
    """The same with a second head, on other features, that only helps to learn: where the configuration asks for it
    (`use_auxiliary_head`), auxiliary_logits (B, labels, h'', w'') come besides, and learn from the same labels."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of the logits, and of the auxiliary ones by the configuration's `auxiliary_loss_weight`."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if "auxiliary_logits" not in (y_pred if isinstance(y_pred, dict) else ()):
            return loss
        labels, weights = self._by_output(y), self._by_output(sample_weight)
        auxiliary = self.default_loss()(labels, y_pred["auxiliary_logits"], weights)
        return loss + self.config.auxiliary_loss_weight * auxiliary

    def _by_output(self, values):
        return values["logits"] if isinstance(values, dict) and "logits" in values else super()._by_output(values)
