r"""Losses: scores of the classes in, one number per sample and its derivatives out.

Vocabulary. A sample has ``K`` *scores* ``s`` and a *label* ``y``, the index of its own class. A
*margin violation* ``z_j = s_j - s_y + margin`` is positive where class ``j`` comes closer to the
own class than the margin allows. A loss ``l(s, y)`` is convex in ``s``, so it has a *conjugate*

.. math:: l^*(\beta, y) = \sup_s \; \langle\beta, s\rangle - l(s, y),

finite only on the *dual domain*, where every gradient of ``l`` lies, and
``l(s) + l*(beta) >= <beta, s>`` with equality for ``beta`` a gradient at ``s`` (Fenchel and
Young). Lower bounds of the objective, and so certificates, come from it.

All arrays of scores have shape (n_samples, n_classes). They are fastest in Fortran order, where
each class is one contiguous run over the samples: a reduction over ten classes then is nine long
vector operations instead of many short loops.
"""

from sklin.losses._base import Loss
from sklin.losses._crammer_singer import CrammerSinger
from sklin.losses._cross_entropy import CrossEntropy
from sklin.losses._margin import OneVsRest, WestonWatkins

__all__ = ["LOSSES", "CrammerSinger", "CrossEntropy", "Loss", "OneVsRest", "WestonWatkins"]

LOSSES = {
    "weston_watkins": WestonWatkins,
    "crammer_singer": CrammerSinger,
    "one_vs_rest": OneVsRest,
}
