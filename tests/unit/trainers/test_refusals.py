"""What a refusal means, by recorded shapes: above all a provider that does not train any more."""

import pytest

from goldsmith.trainers._provider import Refused
from goldsmith.trainers._refusals import OPENAI, failure_of

CLOSING = (
    "The fine-tuning platform is no longer accessible to new users. Existing users can create training jobs until "
    "January 2027."
)


@pytest.mark.parametrize(
    ("refused", "is_create", "kind"),
    [
        (Refused(403, "permission_denied", CLOSING), True, "provider_closed"),
        (Refused(403, "", "You are not allowed to sample from this model"), True, "provider_closed"),
        (Refused(400, "invalid_request_error", "Fine-tuning has been discontinued."), False, "provider_closed"),
        (Refused(404, "unknown_url", "Fine tuning was retired in January 2027"), True, "provider_closed"),
        (Refused(410, "", "Gone"), True, "provider_closed"),
        (
            Refused(403, "", "You have insufficient permissions for this operation. Missing scopes: model.request"),
            True,
            "key_refused",
        ),
        (Refused(401, "invalid_api_key", "Incorrect API key provided"), False, "key_refused"),
        (Refused(403, "", "No."), False, "key_refused"),
        (Refused(429, "insufficient_quota", "You exceeded your current quota"), True, "no_credit"),
        (Refused(402, "", "Payment required"), True, "no_credit"),
        (
            Refused(400, "model_not_available", "Model gpt-9 is not available for fine-tuning"),
            True,
            "model_not_trainable",
        ),
        (Refused(404, "model_not_found", "There is no model gpt-9"), True, "model_not_trainable"),
        (Refused(404, "unknown_url", "Invalid URL"), False, "no_fine_tuning"),
        (
            Refused(400, "invalid_request_error", "Training file has 4 examples; at least 10 are needed"),
            True,
            "refused",
        ),
    ],
)
def test_each_refusal_has_its_word(refused: Refused, *, is_create: bool, kind: str) -> None:
    failure = failure_of(refused, "api.example.com", is_create=is_create)
    assert failure.kind == kind
    assert refused.words in failure.summary
    assert failure.hint


def test_who_is_closed_is_offered_a_backend_of_this_machine_in_plain_words() -> None:
    hint = failure_of(Refused(403, "permission_denied", CLOSING), OPENAI, is_create=True).hint
    assert "closed fine-tuning for most organisations since July 2026" in hint
    assert "choose the backend trl" in hint
    assert "July 2026" not in failure_of(Refused(410, "", "Gone"), "api.example.com", is_create=True).hint
