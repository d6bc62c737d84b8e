"""Mixtral: Mistral whose MLPs are mixtures of experts (arXiv:2401.04088).

Shapes: B batch, T new tokens, D width, E experts, V words.
"""

from dataclasses import dataclass

from keras import ops

from keras_tfm.layers.decoder import LastTokenClassification, NextWordPrediction
from keras_tfm.layers.experts import MixtureOfExperts, balance_loss
from keras_tfm.models.mistral import MistralConfig, MistralModel


@dataclass(kw_only=True)
class MixtralConfig(MistralConfig):
    model_type = "mixtral"

    rms_norm_eps: float = 1e-5
    rope_theta: float = 1e6
    sliding_window: int | None = None
    num_experts_per_tok: int = 2
    num_local_experts: int = 8
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001


class MixtralModel(MistralModel):
    """As `MistralModel`; with `output_router_logits` it returns each block's scores of the experts, (B * T, E)."""

    config_class = MixtralConfig

    def make_mlp(self):
        c = self.config
        experts = [MistralModel.make_mlp(self) for _ in range(c.num_local_experts)]
        return MixtureOfExperts(experts, c.num_experts_per_tok)

    def call(
        self,
        inputs,
        cache=None,
        start=0,
        output_hidden_states=None,
        output_attentions=None,
        output_router_logits=None,
        training=None,
    ):
        """inputs (B, T) -> last_hidden_state (B, T, D) and what else is asked for, here or in the configuration."""
        outputs = super().call(inputs, cache, start, output_hidden_states, output_attentions, training)
        scores = outputs.pop("router_logits")
        if self.config.output_router_logits if output_router_logits is None else output_router_logits:
            outputs["router_logits"] = tuple(ops.reshape(s, (-1, s.shape[-1])) for s in scores)
        return outputs


class MixtralForCausalLM(NextWordPrediction):
    """Scores the next word; with `output_router_logits` also how unevenly the experts are used, which training then
    lessens by `router_aux_loss_coef`: logits (B, T, V), aux_loss (a scalar)."""

    backbone_class = MixtralModel

    def call(self, inputs, cache=None, start=0, training=None, **flags):
        """inputs (B, T) -> logits (B, T, V), or a dict of them and what else is asked for; no aux_loss with a cache."""
        answer = super().call(inputs, cache=cache, start=start, training=training, **flags)
        if isinstance(answer, dict) and "router_logits" in answer and cache is None:
            chosen, mask = self.config.num_experts_per_tok, inputs.get("attention_mask")
            answer["aux_loss"] = balance_loss(answer["router_logits"], chosen, mask)
        return answer

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        uneven = y_pred.get("aux_loss") if isinstance(y_pred, dict) else None
        return loss if uneven is None else loss + self.config.router_aux_loss_coef * uneven


class MixtralForSequenceClassification(LastTokenClassification):
    backbone_class = MixtralModel
