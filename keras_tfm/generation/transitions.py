"""Which scores the tokens had that were chosen."""

import numpy as np


def transition_scores(sequences, scores, beam_indices=None, normalize_logits=False):
    """See `Generation.compute_transition_scores`."""
    sequences, scores = np.asarray(sequences), np.stack(scores)  # (B, T), (N, rows, V)
    if normalize_logits:
        scores = scores - scores.max(axis=-1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    if beam_indices is None:
        beam_indices = np.repeat(np.arange(len(sequences))[:, None], len(scores), axis=1)
    count = np.sum(beam_indices >= 0, axis=1).max()
    rows = beam_indices[:, :count]
    return np.where(rows >= 0, scores[np.arange(count), rows, sequences[:, -count:]], 0)
