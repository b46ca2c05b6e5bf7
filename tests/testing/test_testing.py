"""The laws find planted bugs and say so in a sentence; what strangers wrote rightly passes."""

import pickle
import re

import numpy as np
import pytest
from scipy.special import expit

from sklin.losses import CrossEntropy, Loss, OneVsRest, WestonWatkins
from sklin.regularizers import L1, L2, Dropout, ElasticNet, GroupL2, MaxNorm, Regularizer
from sklin.testing import check_loss, check_regularizer

SENTENCE = r"\A[A-Z]\w*\([^\n]*\): [^\n]*\.\Z"


def assert_told(check, component, law):
    """The law that is broken is named, in one sentence, and no other."""
    with pytest.raises(AssertionError, match=SENTENCE) as caught:
        check(component)
    assert law in str(caught.value)


def put(gradient, out):
    if out is None:
        return gradient
    out[...] = gradient
    return out


# Strangers that are right


class Logistic(Loss):
    """One-vs-rest logistic loss, and nothing but the value and the gradient."""

    def value_and_gradient(self, scores, y, out=None):
        sign = np.ones_like(scores)
        sign[np.arange(len(y)), y] = -1
        z = sign * scores
        return np.logaddexp(0, z).sum(axis=1), put(sign * expit(z), out)


class Huber(Loss):
    """One-vs-rest hinge, rounded; the second derivative jumps."""

    def __init__(self, width=0.5):
        self.width = width

    def value_and_gradient(self, scores, y, out=None):
        sign = np.ones_like(scores)
        sign[np.arange(len(y)), y] = -1
        z = 1 + sign * scores
        slope = np.clip(z / self.width, 0, 1)
        value = (slope * (z - self.width / 2 * slope)).sum(axis=1)
        return value, put(sign * slope, out)


class CostSensitive(Loss):
    """The structured hinge with a price for each confusion: no symmetry of the classes."""

    smooth = False
    shift_invariant = True

    def __init__(self, prices=((0, 1, 2, 3), (4, 0, 1, 1), (1, 1, 0, 5), (2, 2, 2, 0))):
        self.prices = prices

    def value_and_gradient(self, scores, y, out=None):
        index = np.arange(len(y))
        prices = np.array(self.prices, dtype=scores.dtype)[y, : scores.shape[1]]
        z = scores + prices - scores[index, y][:, None]
        worst = z.argmax(axis=1)
        gradient = np.zeros_like(scores)
        gradient[index, worst] += 1
        gradient[index, y] -= 1
        return z[index, worst], put(gradient, out)


class AllDifferences(Loss):
    """Norm of the centred scores less that of the own: a kink at a single line only."""

    smooth = False
    shift_invariant = True

    def value_and_gradient(self, scores, y, out=None):
        index = np.arange(len(y)), y
        z = scores - scores.mean(axis=1, keepdims=True)
        norm = np.linalg.norm(z, axis=1)
        gradient = z / np.maximum(norm, np.finfo(z.dtype).tiny)[:, None]
        value = norm - z[index]
        gradient[index] -= 1
        gradient += scores.dtype.type(1 / scores.shape[1])
        return value, put(gradient, out)


@pytest.mark.parametrize(
    "loss", [Logistic(), Huber(), Huber(2.0), CostSensitive(), AllDifferences()], ids=repr
)
def test_losses_of_strangers_pass(loss):
    assert check_loss(loss) is None


class SmoothTemplates(Regularizer):
    """Neighbouring features shall have like weights: value and gradient only."""

    smooth = True

    def value(self, coef):
        return float(np.square(coef[:, 1:] - coef[:, :-1]).sum())

    def gradient(self, coef):
        step = 2 * (coef[:, 1:] - coef[:, :-1])
        gradient = np.zeros_like(coef)
        gradient[:, 1:] += step
        gradient[:, :-1] -= step
        return gradient


class RowNorms(Regularizer):
    """Sum of the norms of the classes: value and prox only."""

    def value(self, coef):
        return float(np.linalg.norm(coef, axis=1).sum())

    def prox(self, coef, step):
        norm = np.linalg.norm(coef, axis=1, keepdims=True)
        return coef * np.maximum(1 - step / np.maximum(norm, 1e-30), 0).astype(coef.dtype)


class NotNegative(Regularizer):
    """A constraint weight by weight, with conjugate."""

    is_constraint = True
    separable = True

    def value(self, coef):
        return 0.0 if coef.min(initial=0.0) >= 0 else np.inf

    def prox(self, coef, step):
        return np.maximum(coef, 0)

    def conjugate(self, dual):
        return 0.0 if dual.max(initial=0.0) <= 0 else np.inf

    def shrink(self, dual):
        return 1.0 if dual.max(initial=0.0) <= 0 else 0.0


class SumToOne(Regularizer):
    """A constraint that zero does not meet, and that no features cannot."""

    is_constraint = True

    def check_features(self, n_features):
        if n_features == 0:
            raise ValueError("SumToOne needs a feature.")

    def value(self, coef):
        return 0.0 if np.abs(coef.sum(axis=1) - 1).max() <= 1e-6 * np.abs(coef).max() else np.inf

    def prox(self, coef, step):
        return coef - (coef.sum(axis=1, keepdims=True) - 1) / coef.shape[1]


class GaussianNoise(Regularizer):
    """Noise that is added to each entry."""

    needs_batches = True
    smooth = True

    def __init__(self, sigma=0.1):
        self.sigma = sigma

    def value(self, coef):
        return 0.0

    def gradient(self, coef):
        return np.zeros_like(coef)

    def corrupt(self, X, rng):
        noisy = X.copy()
        entries = noisy if isinstance(X, np.ndarray) else noisy.data
        entries += self.sigma * rng.standard_normal(entries.shape).astype(X.dtype)
        return noisy


@pytest.mark.parametrize(
    "regularizer",
    [SmoothTemplates(), RowNorms(), NotNegative(), SumToOne(), GaussianNoise()],
    ids=repr,
)
def test_regularizers_of_strangers_pass(regularizer):
    assert check_regularizer(regularizer) is None


# Losses with a bug


class Planted:
    """Mixin: the gradient, or both, of the right loss, changed."""

    def changed(self, value, gradient, scores, y):
        return value, gradient

    def value_and_gradient(self, scores, y, out=None):
        value, gradient = super().value_and_gradient(scores, y)
        value, gradient = self.changed(value, gradient, scores, y)
        return value, put(gradient, out)


class SignSlip(Planted, Logistic):
    def changed(self, value, gradient, scores, y):
        return value, -gradient


class OwnClassForgotten(Planted, OneVsRest):
    def changed(self, value, gradient, scores, y):
        gradient[np.arange(len(y)), y] = 0
        return value, gradient


class SlightlyTooLarge(Planted, CrossEntropy):
    def changed(self, value, gradient, scores, y):
        return value, 1.0001 * gradient


class WrongAtAKink(Planted, WestonWatkins):
    """The slopes at a hinge's kink are 0 and 1, so 2 is no subgradient."""

    def changed(self, value, gradient, scores, y):
        at = scores - scores[np.arange(len(y)), y][:, None] == -1
        return value, gradient + 2 * at.astype(scores.dtype)


class KinkDeclaredSmooth(OneVsRest):
    smooth = True


class SmallKink(Planted, CrossEntropy):
    """Smooth but for a little of a hinge."""

    shift_invariant = False

    def changed(self, value, gradient, scores, y):
        return (
            value + 0.01 * np.abs(scores).sum(axis=1),
            gradient + np.sign(scores) * scores.dtype.type(0.01),
        )


class PointKink(AllDifferences):
    smooth = True


class NotConvex(Planted, Logistic):
    def changed(self, value, gradient, scores, y):
        return value + np.cos(scores).sum(axis=1), gradient - np.sin(scores)


class Ramp(Loss):
    smooth = False

    def value_and_gradient(self, scores, y, out=None):
        z = 1 - scores[np.arange(len(y)), y]
        gradient = np.zeros_like(scores)
        gradient[np.arange(len(y)), y] = -((z > 0) & (z < 1)).astype(scores.dtype)
        return np.clip(z, 0, 1), put(gradient, out)


class InPlace(Loss):
    def value_and_gradient(self, scores, y, out=None):
        scores -= scores.max(axis=1, keepdims=True)
        return CrossEntropy().value_and_gradient(scores, y, out)


class OutIgnored(Logistic):
    def value_and_gradient(self, scores, y, out=None):
        return super().value_and_gradient(scores, y)


class OutSpoiled(CrossEntropy):
    """It writes to out before it has read the scores, which may be the same."""

    def value_and_gradient(self, scores, y, out=None):
        if out is not None:
            out[...] = 0
        return super().value_and_gradient(scores, y, out)


class ValueOfItsOwn(Logistic):
    def value(self, scores, y):
        return super().value(scores, y) / scores.shape[1]


class MeanOfTheBatch(Planted, Logistic):
    def changed(self, value, gradient, scores, y):
        return value / len(y), gradient / scores.dtype.type(len(y))


class Shapeless(Logistic):
    def value_and_gradient(self, scores, y, out=None):
        value, gradient = super().value_and_gradient(scores, y, out)
        return value.sum(), gradient


class Alone(Logistic):
    def value_and_gradient(self, scores, y, out=None):
        return super().value_and_gradient(scores, y, out)[0]


class NanAtZero(Planted, Logistic):
    def changed(self, value, gradient, scores, y):
        gradient[(scores == 0).all(axis=1)] = np.nan
        return value, gradient


class CurvatureTooSmall(CrossEntropy):
    def curvature(self, n_classes):
        return 0.25


class CurvatureOfAKink(OneVsRest):
    def curvature(self, n_classes):
        return 100.0


class CurvatureMissing(CrossEntropy):
    def curvature(self, n_classes):
        return None


class HessianHalved(WestonWatkins):
    def hessian_product(self, scores, y, direction):
        return super().hessian_product(scores, y, direction) / 2


class HessianInDouble(CrossEntropy):
    def hessian_product(self, scores, y, direction):
        return super().hessian_product(scores, y, direction).astype(np.float64)


class HessianNotLinear(CrossEntropy):
    """Right for the direction that is compared with differences; wrong for unit ones."""

    def hessian_product(self, scores, y, direction):
        product = super().hessian_product(scores, y, direction)
        return product if np.count_nonzero(direction, axis=1).max() > 1 else 2 * product


class DiagonalOff(CrossEntropy):
    def hessian_diagonal(self, scores, y):
        return np.ones_like(scores)


class ConjugateWithoutMargin(WestonWatkins):
    def conjugate(self, dual, y):
        return 0 * super().conjugate(dual, y)


class ConjugateTooSmallBetween(OneVsRest):
    """Right for gradients of the hinge, which are 0 and 1, not for what lies between them."""

    def conjugate(self, dual, y):
        return super().conjugate(dual, y) - (np.abs(dual) * (1 - np.abs(dual))).sum(axis=1)


class ConjugateInPlace(CrossEntropy):
    def conjugate(self, dual, y):
        value = super().conjugate(dual, y)
        dual += 1
        return value


class Negative(Planted, CrossEntropy):
    def changed(self, value, gradient, scores, y):
        return value - 1, gradient

    def conjugate(self, dual, y):
        return super().conjugate(dual, y) + 1


class BalanceOfNothing(CrossEntropy):
    def balance(self, residual, priors):
        return 0.0, np.zeros((len(priors), len(priors)))


class BalanceOutside(CrossEntropy):
    """It cancels the residual, but by points of any size."""

    def balance(self, residual, priors):
        t = min(1e3 * np.abs(residual).max(), 0.5)
        share = -(1 - t) / t * residual if t else 0 * residual
        return t, np.tile(share, (len(priors), 1))


class BalanceOfOne(CrossEntropy):
    """Zero points for all: a mean of zero, and a bound that says nothing."""

    def balance(self, residual, priors):
        return 1.0, np.zeros((len(priors), len(priors)))


class BalanceOfAnother(OneVsRest):
    """The base class's is for losses of score differences."""

    def balance(self, residual, priors):
        return Loss.balance(self, residual, priors)


class SmoothedAbove(WestonWatkins):
    def smoothed(self, width):
        return Raised(self.loss, self.margin, width)


class Raised(Planted, WestonWatkins):
    def changed(self, value, gradient, scores, y):
        return value + scores.dtype.type(self.smoothing), gradient


class SmoothedTooLittle(WestonWatkins):
    def smoothed(self, width):
        return self


class SmoothedTheSame(WestonWatkins):
    def smoothed(self, width):
        return WestonWatkins(self.loss, self.margin, smoothing=1.0)


class ShiftDeclared(Logistic):
    shift_invariant = True


class ShiftNotDeclared(CrossEntropy):
    shift_invariant = False


class Double(Logistic):
    def value_and_gradient(self, scores, y, out=None):
        value, gradient = super().value_and_gradient(scores.astype(np.float64), y)
        return value, gradient if out is None else put(gradient, out)


class Cancelling(Planted, Logistic):
    """Right in float64; in float32 three digits are lost."""

    def changed(self, value, gradient, scores, y):
        large = scores.dtype.type(1e4)
        return (value + large) - large, (gradient + large) - large


class Counting(Logistic):
    def __init__(self, calls=0):
        self.calls = calls

    def value_and_gradient(self, scores, y, out=None):
        self.calls += 1
        return super().value_and_gradient(scores, y, out)


class Converting(Logistic):
    def __init__(self, widths=(1, 2)):
        self.widths = list(widths)


class Holding(Logistic):
    def __init__(self, hinge=None):
        self.hinge = hinge


class Mute(Logistic):
    def __repr__(self):
        raise ValueError


KINKS = "the gradient of a loss that declares smooth must not jump"
DOMAIN = "l(s) + l*(beta) >= <beta, s> must hold (Fenchel and Young)"


@pytest.mark.parametrize(
    "loss, law",
    [
        (SignSlip(), "the gradient must be the slope of the value"),
        (OwnClassForgotten(), "the gradient must be the slope of the value"),
        (SlightlyTooLarge(), "the gradient must be the slope of the value"),
        (WrongAtAKink(), "the gradient must be the slope of the value"),
        (KinkDeclaredSmooth(), KINKS),
        (SmallKink(), KINKS),
        (PointKink(), KINKS),
        (NotConvex(), "the value must be convex"),
        (Ramp(), "the value must be convex"),
        (InPlace(), "the inputs must not be changed"),
        (OutIgnored(), "out must be filled with the gradient and returned"),
        (OutSpoiled(), "out must be filled with the gradient and returned"),
        (ValueOfItsOwn(), "value must agree with value_and_gradient"),
        (MeanOfTheBatch(), "each sample must have its loss by itself"),
        (Shapeless(), "value_and_gradient must return the values and the gradients"),
        (Alone(), "value_and_gradient must return the values and the gradients"),
        (NanAtZero(), "the gradient is nan and must be finite"),
        (CurvatureTooSmall(), "curvature must bound the second derivative"),
        (CurvatureOfAKink(), "curvature must bound the second derivative"),
        (CurvatureMissing(), "it is None and must be a number"),
        (HessianHalved(loss="squared_hinge"), "hessian_product must be the slope of the gradient"),
        (HessianInDouble(), "float32 must stay float32"),
        (HessianNotLinear(), "hessian_product must be linear"),
        (DiagonalOff(), "hessian_diagonal must be the diagonal"),
        (ConjugateWithoutMargin(), "l(s) + l*(beta) = <beta, s> must hold for gradients"),
        (ConjugateTooSmallBetween(), DOMAIN),
        (ConjugateInPlace(), "the inputs must not be changed"),
        (Negative(), "the values of a loss with a conjugate must not be negative"),
        (BalanceOfNothing(), "balance must make the mean of the dual points zero"),
        (BalanceOutside(), DOMAIN),
        (BalanceOfOne(), "balance must give a weight t in [0, 1], as small as the residual"),
        (BalanceOfAnother(), "balance must make the mean of the dual points zero"),
        (SmoothedAbove(), "the smoothed loss must be at most the loss"),
        (SmoothedTooLittle(), "smoothed must give a smooth loss"),
        (SmoothedTheSame(), "the smoothed loss must tend to the loss as the width shrinks"),
        (ShiftDeclared(), "shift_invariant is declared"),
        (ShiftNotDeclared(), "shift_invariant must be declared"),
        (Double(), "float32 must stay float32"),
        (Cancelling(), "float32 must agree with float64"),
        (Counting(), "use must not change the parameters"),
        (Converting(), "clone must give an object of equal parameters"),
        (Holding(lambda z: z), "what the object holds must survive pickle"),
        (WestonWatkins(margin=-1.0), "check_parameters must pass"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Loss) else None,
)
def test_bug_in_a_loss_is_told(loss, law):
    assert_told(check_loss, loss, law)


def test_missing_repr_is_told():
    with pytest.raises(AssertionError, match=r"^Mute: repr must show the parameters; it raises"):
        check_loss(Mute())


def test_a_message_says_where_and_by_how_much():
    with pytest.raises(AssertionError) as caught:
        check_loss(SignSlip())
    assert re.fullmatch(
        r"SignSlip\(\): the gradient must be the slope of the value; "
        r"at sample \d+, class \d of 60 x 2 the gradient is \S+ and differs from the slope, \S+, "
        r"by \S+ where \S+ is allowed\.",
        str(caught.value),
    )


# Regularizers with a bug


class GradientSlip(L2):
    def gradient(self, coef):
        return -2 * coef


class FactorForgotten(L2):
    def gradient(self, coef):
        return coef


class ProxOfHalf(L2):
    """The prox of half the square."""

    def prox(self, coef, step):
        return coef / (1 + step)


class L1DeclaredSmooth(L1):
    smooth = True


class NormDeclaredSmooth(GroupL2):
    """A kink where a whole group is zero, and nowhere else."""

    smooth = True


class SmoothWithoutGradient(RowNorms):
    smooth = True


class WrongThreshold(L1):
    def prox(self, coef, step):
        return coef - np.clip(coef, -step / 2, step / 2)


class GroupsWithoutSize(GroupL2):
    """The threshold of groups of one feature each."""

    def prox(self, coef, step):
        norms, index, _ = self._norms(coef)
        scale = np.maximum(1 - step / np.maximum(norms, 1e-30), 0)
        return self._scaled(coef, scale, index)


class SubgradientTooLarge(L1):
    def gradient(self, coef):
        return np.where(coef >= 0, 2 * (coef == 0) + 1, -1).astype(coef.dtype)


class NanAtZeroNorm(RowNorms):
    def gradient(self, coef):
        with np.errstate(invalid="ignore"):
            return coef / np.linalg.norm(coef, axis=1, keepdims=True)


class Square(ElasticNet):
    """As many write it: the conjugate of half the square."""

    def conjugate(self, dual):
        return float(np.square(dual).sum()) / 2


class DomainTooLarge(L1):
    def conjugate(self, dual):
        return 0.0 if np.abs(dual).max(initial=0.0) <= 2 else np.inf

    def shrink(self, dual):
        return 2.0 / max(2.0, np.abs(dual).max(initial=0.0))


class DomainTooSmall(L1):
    def conjugate(self, dual):
        return 0.0 if np.abs(dual).max(initial=0.0) <= 0.5 else np.inf

    def shrink(self, dual):
        return 0.5 / max(0.5, np.abs(dual).max(initial=0.0))


class NoShrink(L1):
    def shrink(self, dual):
        return 1.0


class ShrinkTooMuch(L1):
    def shrink(self, dual):
        factor = super().shrink(dual)
        return factor if factor > 1 - 1e-9 else factor / 2


class ShrinkAbove(L1):
    def shrink(self, dual):
        factor = super().shrink(dual)
        return factor if np.abs(dual).max() > 0.6 or not dual.any() else 1.2


class ConjugateSpoils(L2):
    def conjugate(self, dual):
        dual *= dual
        return float(dual.sum()) / 4


class CurvatureDeclared(L1):
    curvature = 0.1


class CurvatureWithoutEnd(L2):
    curvature = np.inf


class NotConvexPenalty(Regularizer):
    """The smoothly clipped kind: a bias less, a convex problem less."""

    def value(self, coef):
        return float(np.minimum(np.abs(coef), 1).sum())

    def gradient(self, coef):
        return np.sign(coef) * (np.abs(coef) < 1)


class ClipInPlace(L1):
    def prox(self, coef, step):
        coef -= np.clip(coef, -step, step)
        return coef


class SeparableDeclared(GroupL2):
    separable = True


class StepsNotTaken(L2):
    def prox(self, coef, step):
        return coef / (1 + 2 * np.mean(step))


class PerClass(L2):
    def value(self, coef):
        return np.square(coef).sum(axis=1)


class Upcasting(L2):
    def gradient(self, coef):
        return 2 * coef.astype(np.float64)


class OneFeatureAtLeast(L1):
    def shrink(self, dual):
        return super().shrink(dual) if dual.size else 0.5


class ProjectionByStep(MaxNorm):
    def prox(self, coef, step):
        return MaxNorm(self.radius / (1 + step)).prox(coef, step)


class ProjectionTooFar(MaxNorm):
    def prox(self, coef, step):
        return MaxNorm(0.99 * self.radius).prox(coef, step)


class ProjectionHalfway(NotNegative):
    """Nearer to zero each time."""

    def prox(self, coef, step):
        return np.maximum(coef, 0) / 2


class ProjectionOutside(MaxNorm):
    def prox(self, coef, step):
        return super().prox(coef, step) * 1.1


class PenaltyAsConstraint(L1):
    is_constraint = True


class ConstraintWithoutProx(Regularizer):
    is_constraint = True

    def value(self, coef):
        return 0.0 if coef.min(initial=0.0) >= 0 else np.inf


class NotRescaled(Dropout):
    def corrupt(self, X, rng):
        return super().corrupt(X, rng) * (1 - self.rate)


class NoiseOfItsOwn(Dropout):
    def corrupt(self, X, rng):
        return super().corrupt(X, np.random.RandomState())


class NoiseMadeDense(Dropout):
    def corrupt(self, X, rng):
        return np.asarray(super().corrupt(X.toarray() if hasattr(X, "toarray") else X, rng))


class NoiseInPlace(GaussianNoise):
    def corrupt(self, X, rng):
        entries = X if isinstance(X, np.ndarray) else X.data
        entries += 0.1 * rng.standard_normal(entries.shape).astype(X.dtype)
        return X


class NoiseInDouble(Dropout):
    def corrupt(self, X, rng):
        return super().corrupt(X.astype(np.float64), rng)


class NoiseNotDeclared(Dropout):
    needs_batches = False


class Forgetting(L2):
    def __init__(self, seen=None):
        self.seen = seen

    def value(self, coef):
        self.seen = coef.shape
        return super().value(coef)


PROX = "the prox must minimise R(W) + |W - V|^2 / (2 step)"
FLAT = "the gradient of a regularizer that declares smooth must not jump"
YOUNG = "R(W) + R*(U) >= <U, W> must hold (Fenchel and Young)"


@pytest.mark.parametrize(
    "regularizer, law",
    [
        (GradientSlip(), "the gradient must be the slope of the value"),
        (FactorForgotten(), "the gradient must be the slope of the value"),
        (SubgradientTooLarge(), "the gradient must be the slope of the value"),
        (NanAtZeroNorm(), "the gradient is nan and must be finite"),
        (L1DeclaredSmooth(), FLAT),
        (NormDeclaredSmooth(), FLAT),
        (SmoothWithoutGradient(), "must give a gradient; it gives none"),
        (ProxOfHalf(), PROX),
        (WrongThreshold(), PROX),
        (GroupsWithoutSize([0, 0, 1, 1, 1, 2]), PROX),
        (Square(0), "R(W) + R*(U) = <U, W> must hold for the gradient U"),
        (DomainTooLarge(), YOUNG),
        (DomainTooSmall(), "the gradient must lie in the domain of the conjugate"),
        (NoShrink(), "shrink must lead into the domain of the conjugate"),
        (ShrinkTooMuch(), "shrink must give the largest factor into the domain"),
        (ShrinkAbove(), "shrink must give a factor in [0, 1]"),
        (ConjugateSpoils(), "the inputs must not be changed"),
        (CurvatureDeclared(), "R less curvature / 2 times the sum of squares must be convex"),
        (CurvatureWithoutEnd(), "curvature must be a finite number"),
        (NotConvexPenalty(), "the value must be convex"),
        (ClipInPlace(), "the inputs must not be changed"),
        (SeparableDeclared(), "separable is declared, so the value must be a sum"),
        (StepsNotTaken(), "separable is declared, so the prox must take an array of steps"),
        (PerClass(), "the value must be a finite float"),
        (Upcasting(), "float32 must stay float32"),
        (OneFeatureAtLeast(), "no features must be no trouble"),
        (ProjectionByStep(), "the prox of a constraint must not depend on the step"),
        (ProjectionHalfway(), "the prox of a constraint must be a projection"),
        (ProjectionTooFar(), PROX),
        (ProjectionOutside(), "the value of a constraint must be 0 where its prox leads"),
        (PenaltyAsConstraint(), "the values of a constraint must be 0 and inf"),
        (ConstraintWithoutProx(), "a constraint must have a prox"),
        (NotRescaled(), "the noise must have mean zero"),
        (NotRescaled(0.02), "the noise must have mean zero"),
        (NoiseOfItsOwn(), "the noise must come from rng alone"),
        (NoiseMadeDense(), "corrupt must keep the kind of the samples"),
        (NoiseInPlace(), "the inputs must not be changed"),
        (NoiseInDouble(), "float32 must stay float32"),
        (NoiseNotDeclared(), "without needs_batches, corrupt must leave the samples"),
        (Forgetting(), "use must not change the parameters"),
        (MaxNorm(radius=0), "check_parameters must pass"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Regularizer) else None,
)
def test_bug_in_a_regularizer_is_told(regularizer, law):
    assert_told(check_regularizer, regularizer, law)


# What can be checked


@pytest.mark.parametrize("check, kind", [(check_loss, "Loss"), (check_regularizer, "Regularizer")])
@pytest.mark.parametrize("thing", ["hinge", None, 0.5], ids=repr)
def test_other_objects_are_refused(check, kind, thing):
    with pytest.raises(TypeError, match=f"An instance of {kind} can be checked; got"):
        check(thing)


@pytest.mark.parametrize("check, cls", [(check_loss, CrossEntropy), (check_regularizer, L2)])
def test_classes_are_refused(check, cls):
    with pytest.raises(TypeError, match="It is a class: give an instance of it"):
        check(cls)


def test_the_one_is_not_the_other():
    with pytest.raises(TypeError, match=r"L2\(\)"):
        check_loss(L2())
    with pytest.raises(TypeError, match=r"CrossEntropy\(\)"):
        check_regularizer(CrossEntropy())


def test_number_of_features():
    groups = GroupL2(groups=["a", "b", "b", "a"])
    assert check_regularizer(groups, n_features=4) is None
    with pytest.raises(ValueError, match="4, and there are 6"):
        check_regularizer(groups)


def test_an_exception_of_the_component_is_its_own():
    class Broken(Logistic):
        def value_and_gradient(self, scores, y, out=None):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_loss(Broken())


def test_checks_leave_the_random_state_alone():
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    check_loss(Logistic())
    check_regularizer(GaussianNoise())
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002
