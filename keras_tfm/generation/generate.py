"""`model.generate`: from prompts and options to a strategy, and from its last state to what the caller asked for."""

import copy

import numpy as np

from keras_tfm.generation import processors
from keras_tfm.generation.assisted import AssistedSearch
from keras_tfm.generation.beam import BeamSearch
from keras_tfm.generation.config import STATES
from keras_tfm.generation.constrained import ConstrainedBeamSearch
from keras_tfm.generation.contrastive import ContrastiveSearch
from keras_tfm.generation.prompt import Prompt, buffer, end_tokens, rounded
from keras_tfm.generation.rules import Rules
from keras_tfm.generation.search import Search
from keras_tfm.generation.states import states
from keras_tfm.generation.watchers import watchers

STRATEGIES = {
    "greedy": Search,
    "sample": Search,
    "contrastive": ContrastiveSearch,
    "assisted": AssistedSearch,
    "beam": BeamSearch,
    "beam_sample": BeamSearch,
    "group_beam": BeamSearch,
    "constrained_beam": ConstrainedBeamSearch,
}


class Task:
    """One call of `generate`: what a strategy needs to know.

    `inputs` are the caller's; `prompt` and, with guidance, `negative` are `Prompt`s, of which `margin` columns were
    added; `until` tokens there may be in all, and `size` are made room for; `ends` (N,) and `pad` are the tokens that
    end texts and follow them; `rules` and `stops` act on scores and ids; `random` draws chances; `recorded` is kept of
    each token's scores; `assistant` is a model that proposes tokens.
    """

    def __init__(self, model, inputs, config, negative, rules, stops, seed, assistant):
        self.model, self.inputs, self.config, self.assistant = model, inputs, config, assistant
        self.prompt, self.margin = Prompt(model, inputs, config), 0
        new = config.max_new_tokens
        self.until = config.max_length if new is None else self.prompt.length + new
        self._check_length()
        self.negative = None
        if config.guidance_scale not in (None, 1):
            self._make_room_for(negative)
        self.size = rounded(self.until)
        self.ends = end_tokens(config)
        self.pad = next((p for p in (config.pad_token_id, *self.ends) if p is not None), 0)
        last = [processors.normalize] * config.renormalize_logits
        warpers = [*processors.warpers(config), *last] if config.do_sample else []
        self.rules = Rules([*self._processors(), *rules, *last, *warpers])
        self.stops = list(stops)
        self.recorded = tuple(n for n in ("scores", "logits") if getattr(config, f"output_{n}"))
        self.random = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)

    def of(self, model):
        """The same task for another model of the same vocabulary."""
        task = copy.copy(self)
        task.model, task.prompt = model, Prompt(model, self.inputs, self.config)
        task._check_length()
        return task

    def _processors(self):
        """The rules that the options ask for. They see the texts without the margin; the source of a decoder alone is
        its own prompt."""
        config = self.config.updated(max_length=self.until - self.margin)
        source = self.prompt.source
        if source is not None:
            source = buffer(source, rounded(source.shape[1]), -1)
        return processors.processors(config, self.prompt.length - self.margin, source)

    def _check_length(self):
        tokens, room = self.prompt.length, self.model.room
        if room and tokens >= room:
            raise ValueError(f"a prompt of {tokens} tokens leaves no room: {type(self.model).__name__} takes {room}")
        if tokens >= self.until:
            raise ValueError(
                f"the prompt has {tokens} tokens, and max_length={self.until} counts them, too: pass max_new_tokens"
            )
        if room and self.until > room:
            raise ValueError(
                f"{self.until} tokens are more than the {room} that {type(self.model).__name__} takes: "
                f"pass max_new_tokens={room - tokens} or less"
            )

    def _make_room_for(self, negative):
        if self.model.decoder_prefix:
            raise ValueError(f"{type(self.model).__name__} takes no guidance_scale: decoders alone do")
        if negative is None:  # what follows the last token alone
            negative = {"input_ids": self.prompt.ids[:, -1:]}
        self.negative = Prompt(self.model, negative, self.config)
        if self.negative.rows != self.prompt.rows:
            raise ValueError(f"{self.negative.rows} negative prompts do not go with {self.prompt.rows} prompts")
        self.negative.extra = self.prompt.extra
        self.margin = max(self.negative.length - self.prompt.length, 0)
        self.until += self.margin
        self.negative.widen(self.prompt.length)
        self.prompt.widen(self.negative.length)


def generate(
    model,
    inputs=None,
    generation_config=None,
    *,
    logits_processor=(),
    stopping_criteria=(),
    prefix_allowed_tokens_fn=None,
    streamer=None,
    negative_prompt_ids=None,
    negative_prompt_attention_mask=None,
    assistant_model=None,
    tokenizer=None,
    seed=None,
    **options,
):
    """See `Generation.generate`."""
    config = (generation_config or model.generation_config).updated(**options)
    config.validate(model.config.vocab_size)
    assisted = assistant_model is not None or config.prompt_lookup_num_tokens is not None
    mode = "assisted" if assisted else config.mode
    negative = negative_prompt_ids
    if negative is not None:
        negative = {"input_ids": negative, "attention_mask": negative_prompt_attention_mask}
    task = Task(model, inputs, config, negative, logits_processor, stopping_criteria, seed, assistant_model)
    strategy = STRATEGIES[mode](task)
    state, records = strategy.run(task, watchers(task, streamer, tokenizer, prefix_allowed_tokens_fn))
    result = strategy.result(state, task) | {name: tuple(values) for name, values in records.items()}
    if streamer is not None:
        streamer.end()
    if not config.return_dict_in_generate:
        return result["sequences"]
    asked = any(getattr(config, name) for name in STATES)
    return result | (states(task, result["sequences"]) if asked else {})
