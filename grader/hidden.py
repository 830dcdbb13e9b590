"""Hidden data: random numbers that a grading draws again at will, and a submission cannot foresee."""

import hashlib
import hmac

import numpy as np

from grader.exercise import Exercise, sha256_of
from grader.model import Submission
from grader.settings import Settings


def hidden_numbers(
    settings: Settings, exercise: Exercise, submission: Submission, check: str
) -> np.random.Generator:
    """The hidden numbers of one check: the same in every grading with the same secret.

    A notebook can know its own bytes, the seed and the check's name, so the key is the secret together with
    the reference and the checks, of which no kernel has anything.
    """
    parts = (
        str(settings.seed).encode(),
        submission.sha256.encode(),
        sha256_of(exercise.reference),
        sha256_of(exercise.checks),
        check.encode(),
    )
    # Each part by its digest, so that no two lists of parts run together into one message.
    message = b"".join(hashlib.sha256(part).digest() for part in parts)
    key = settings.secret.encode("utf-8", "surrogateescape")
    return np.random.default_rng(int.from_bytes(hmac.digest(key, message, "sha256"), "big"))
