"""What can go wrong between us and a model, with what to do about it.

    ModelError 502 model_error
    ├── ModelKeyRefused 502 · ModelNotFound 502
    ├── ModelRequestRefused 502 · ModelEffortRefused 502
    ├── ModelContextTooLong 422 · ModelQuotaExhausted 503
    ├── ModelRateLimited 429 · ModelUnavailable 503 · ModelUnreachable 503 · ModelTimeout 504 (retry)
    ├── ModelStreamCut 502 (retry)
    ├── EmbeddingFailed 503 (retry)
    └── ModelNonsense 502

`retry` says whether the same request may succeed a little later. Messages never contain a key; an excerpt
of what the provider said is bounded and redacted.
"""

from famulus.kernel.errors import FamulusError


class ModelError(FamulusError):
    """The model could not answer; try again, and tell the operator if it stays like this."""

    status, code, title = 502, "model_error", "The model failed"


class ModelKeyRefused(ModelError):
    """The model's provider refused our key; the operator must check it and its permissions."""

    code, title = "model_key_refused", "Model key refused"


class ModelNotFound(ModelError):
    """The model's server does not know this model; the operator must check its name and address."""

    code, title = "model_not_found", "Model not found"


class ModelRequestRefused(ModelError):
    """The model's server did not accept the request; change the message or the assistant's settings."""

    code, title = "model_request_refused", "Request refused by the model"


class ModelEffortRefused(ModelRequestRefused):
    """The model does not think as it was asked to; set another `reasoning_effort` in the assistant, or leave it out."""

    code, title = "model_effort_refused", "Effort refused by the model"


class ModelContextTooLong(ModelError):
    """This conversation has become too long for the model; start a new thread or write a shorter message."""

    status, code, title = 422, "model_context_too_long", "Too long for the model"


class ModelQuotaExhausted(ModelError):
    """The quota at the model's provider is used up; the operator must top it up or choose another model."""

    status, code, title = 503, "model_quota_exhausted", "Model quota used up"


class ModelRateLimited(ModelError):
    """The model's provider is asked too often right now; wait a little and send the message again."""

    status, code, title, retry = 429, "model_rate_limited", "Model rate limited", True


class ModelUnavailable(ModelError):
    """The model's server has trouble right now; send the message again in a minute."""

    status, code, title, retry = 503, "model_unavailable", "Model unavailable", True


class ModelUnreachable(ModelError):
    """The model's server cannot be reached; the operator must check that it runs and what its address is."""

    status, code, title, retry = 503, "model_unreachable", "Model unreachable", True


class ModelTimeout(ModelError):
    """The model did not answer in time; send the message again, or ask for something shorter."""

    status, code, title, retry = 504, "model_timeout", "Model too slow", True


class ModelStreamCut(ModelError):
    """The model's answer broke off in the middle; send the message again."""

    code, title, retry = "model_stream_cut", "Answer broke off", True


class ModelNonsense(ModelError):
    """The model's server answered with something else than a completion; is its address right?"""

    code, title = "model_nonsense", "Not a model's answer"


class EmbeddingFailed(ModelError):
    """The embedding model on this machine does not work right now; search goes by words alone."""

    status, code, title, retry = 503, "embedding_failed", "Embedding failed", True
